// The sound that is published: measured, and mixed when it comes from a screen and a microphone.

/** One AudioContext of a publisher. Made within the click, or it stays silent until the next one. */
export class Sound {
  #context = new AudioContext({ sampleRate: 48_000 });
  /** Everything that is heard, for those who want samples. */
  #bus = new GainNode(this.#context);
  #analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
  /** @type {MediaStreamAudioDestinationNode | undefined} */
  #mix;
  /** @type {MediaStreamAudioSourceNode[]} */
  #sources = [];
  #samples = new Float32Array(this.#analyser.fftSize);

  constructor() {
    this.#bus.connect(this.#analyser);
    this.#resume();
    addEventListener('pointerdown', this.#resume);
  }

  /** The click that a browser waits for may come later. */
  #resume = () => { if (this.#context.state === 'suspended') this.#context.resume().catch(() => {}); };

  /** Whether the browser holds the audio back: until a click, or where there is no audio output. */
  get suspended() { return this.#context.state !== 'running'; }
  /** Whether what is published goes through the context. */
  get mixes() { return this.#sources.length > 1; }

  get context() { return this.#context; }
  get bus() { return this.#bus; }

  /**
   * Takes these instead of those before; what is to be published of them.
   * @param {MediaStreamTrack[]} tracks
   */
  take(tracks) {
    for (const source of this.#sources) source.disconnect();
    this.#sources = tracks.flatMap((track) => {
      try {
        const source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: new MediaStream([track]) });
        source.connect(this.#bus);
        return [source];
      } catch {
        // Firefox does not convert rates: the track is published as it is, without its level.
        return [];
      }
    });
    if (tracks.length < 2) return tracks[0] ?? null;
    if (!this.#mix) {
      this.#mix = new MediaStreamAudioDestinationNode(this.#context);
      this.#bus.connect(this.#mix);
    }
    return this.#mix.stream.getAudioTracks()[0] ?? null;
  }

  /** How loud it is at the moment: 0 (60 dB below full scale, or less) to 1. */
  get level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const peak = this.#samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    return Math.min(1, Math.max(0, 1 + Math.log10(peak) / 3));
  }

  close() {
    this.take([]);
    removeEventListener('pointerdown', this.#resume);
    this.#context.close().catch(() => {});
  }
}
