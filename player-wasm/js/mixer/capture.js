// The mix as what a publisher publishes.

/** A stand-in for {@link import('../publisher/engine/capture.js').Capture}: it opens no device, and the mix goes on when it is closed. */
export class MixCapture {
  stream = new MediaStream();
  lack = '';
  level = 0;
  mirrored = false;
  microphone = null;
  #tracks;

  /** @param {MediaStreamTrack} video @param {import('./audio.js').MixAudio} audio */
  constructor(video, audio) {
    this.#tracks = [video, audio.track];
    this.audio = audio;
  }

  get video() { return this.stream.getVideoTracks()[0] ?? null; }

  async open() { for (const track of this.#tracks) this.stream.addTrack(track); }
  async useVideo() {}
  async useMicrophone() {}
  async adjust() {}
  close() { for (const track of this.#tracks) this.stream.removeTrack(track); }
}
