// The picture of another publisher's capture, to be published once more in another size.

/** A stand-in for {@link import('../publisher/engine/capture.js').Capture}: it opens no device, and closes none. */
export class BorrowedVideo {
  stream = new MediaStream();
  lack = '';
  level = 0;
  mirrored = false;
  microphone = null;
  audio = { mixes: false, suspended: false };
  #lender;

  /** @param {() => MediaStreamTrack | null | undefined} lender */
  constructor(lender) {
    this.#lender = lender;
  }

  get video() { return this.stream.getVideoTracks()[0] ?? null; }

  async open() { this.#borrow(); }
  async useVideo() { this.#borrow(); }
  async useMicrophone() {}
  async adjust() {}
  close() { for (const track of this.stream.getTracks()) this.stream.removeTrack(track); }

  #borrow() {
    this.close();
    const track = this.#lender();
    if (track) this.stream.addTrack(track);
  }
}
