// The audio of the mix: each input with its volume, a limiter, and one track to publish.

/** Level of silence in dB below full scale. */
const SILENT = -127;
/** Seconds in which a volume follows: nothing clicks. */
const RAMP = 0.02;
/** Milliseconds after which an input that leaves is silent. */
export const FADE_OUT = 120;
/** The limiter begins this many dB below full scale. */
const THRESHOLD = -3;
const RATIO = 20;
/** A compressor makes everything louder by this many dB (Web Audio API, "computing the makeup gain"); that is taken back. */
const MAKEUP = -THRESHOLD * (1 - 1 / RATIO) * 0.6;

/** @typedef {{ track: MediaStreamTrack, source: MediaStreamAudioSourceNode, gain: GainNode, analyser: AnalyserNode, element: HTMLAudioElement, volume: number }} Voice */

/** Has the members of the publisher's own mixer that publishing needs. It has to be made within a click. */
export class MixAudio {
  /** The audio always goes through the context. */
  mixes = true;
  /** A page that was not clicked has silent audio. */
  context = new AudioContext({ sampleRate: 48_000 });
  /** What is published, for encoders. */
  bus = new GainNode(this.context, { gain: 10 ** (-MAKEUP / 20) });
  #limiter = new DynamicsCompressorNode(this.context, { threshold: THRESHOLD, ratio: RATIO, knee: 0, attack: 0.001, release: 0.1 });
  #out = new MediaStreamAudioDestinationNode(this.context, { channelCount: 2 });
  /** @type {Map<string, Voice>} */
  #voices = new Map();
  /** Tracks that the browser does not take. @type {WeakSet<MediaStreamTrack>} */
  #refused = new WeakSet();
  #samples = new Float32Array(4096);

  constructor() {
    this.#limiter.connect(this.bus).connect(this.#out);
    addEventListener('pointerdown', this.resume);
    addEventListener('keydown', this.resume);
    this.resume();
  }

  get track() { return /** @type {MediaStreamTrack} */ (this.#out.stream.getAudioTracks()[0]); }
  /** Whether the browser holds the audio back until a click. */
  get suspended() { return this.context.state !== 'running'; }

  resume = () => { if (this.suspended && this.context.state !== 'closed') this.context.resume().catch(() => {}); };

  /** Plays a track in the mix. @param {string} id @param {MediaStreamTrack} track @param {number} volume */
  add(id, track, volume) {
    if (this.#voices.get(id)?.track === track) return this.setVolume(id, volume);
    this.remove(id);
    const mediaStream = new MediaStream([track]);
    const source = this.#source(track, mediaStream);
    if (!source) return;
    // Chromium gives a graph the audio of a connection only while an element plays it as well.
    const element = new Audio();
    Object.assign(element, { muted: true, srcObject: mediaStream });
    element.play().catch(() => {});
    const analyser = new AnalyserNode(this.context, { fftSize: this.#samples.length });
    const gain = new GainNode(this.context, { gain: 0 });
    source.connect(analyser);
    source.connect(gain).connect(this.#limiter);
    this.#voices.set(id, { track, source, gain, analyser, element, volume: 0 });
    this.setVolume(id, volume);
  }

  /** @param {MediaStreamTrack} track @param {MediaStream} mediaStream */
  #source(track, mediaStream) {
    if (this.#refused.has(track)) return null;
    try {
      return new MediaStreamAudioSourceNode(this.context, { mediaStream });
    } catch {
      // Firefox does not convert the sample rates of microphones: such an input is silent.
      this.#refused.add(track);
      return null;
    }
  }

  /** @param {string} id @param {number} volume 1: as it came */
  setVolume(id, volume) {
    const voice = this.#voices.get(id);
    if (!voice || voice.volume === volume) return;
    voice.volume = volume;
    voice.gain.gain.setTargetAtTime(volume, this.context.currentTime, RAMP);
  }

  /** Fades an input out. @param {string} id */
  remove(id) {
    const voice = this.#voices.get(id);
    if (!voice) return;
    this.setVolume(id, 0);
    this.#voices.delete(id);
    setTimeout(() => {
      voice.source.disconnect();
      voice.gain.disconnect();
      voice.element.srcObject = null;
    }, FADE_OUT);
  }

  /** The level of an input in dB below full scale, whatever its volume. @param {string} id */
  level(id) {
    const { analyser } = this.#voices.get(id) ?? {};
    if (!analyser) return SILENT;
    analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return Math.max(SILENT, 10 * Math.log10(power));
  }

  close() {
    removeEventListener('pointerdown', this.resume);
    removeEventListener('keydown', this.resume);
    for (const { element } of this.#voices.values()) element.srcObject = null;
    this.#voices.clear();
    this.context.close().catch(() => {});
  }
}
