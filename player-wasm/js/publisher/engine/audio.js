// The published audio: measures its level, and mixes the audio of a screen and a microphone.

/** The AudioContext of a publisher. It must be created during a click, or it is silent until the next click. */
export class AudioMixer {
  #context = new AudioContext({ sampleRate: 48_000 });
  /** The sum of the sources, for encoders. */
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

  /** Starts the context. A browser may delay the start until a click. */
  #resume = () => { if (this.#context.state === 'suspended') this.#context.resume().catch(() => {}); };

  /** Whether the context is suspended: until a click, or because there is no audio output. */
  get suspended() { return this.#context.state !== 'running'; }
  /** Whether the published audio passes through the context. */
  get mixes() { return this.#sources.length > 1; }

  get context() { return this.#context; }
  get bus() { return this.#bus; }

  /**
   * Replaces the sources. Returns the track to publish.
   * @param {MediaStreamTrack[]} tracks
   */
  use(tracks) {
    for (const source of this.#sources) source.disconnect();
    this.#sources = tracks.flatMap((track) => {
      try {
        const source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: new MediaStream([track]) });
        source.connect(this.#bus);
        return [source];
      } catch {
        // Firefox does not convert sample rates, so the track is published unchanged and not measured.
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

  /** The current level: 0 (60 dB below full scale, or less) to 1. */
  get level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const peak = this.#samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    return Math.min(1, Math.max(0, 1 + Math.log10(peak) / 3));
  }

  close() {
    this.use([]);
    removeEventListener('pointerdown', this.#resume);
    this.#context.close().catch(() => {});
  }
}
