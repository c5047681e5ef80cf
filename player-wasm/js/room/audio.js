// All that is heard of the others, in one audio graph: it starts with the click on Join, and whoever comes later, also
// while the tab is hidden, is heard without another click.

/** Level from which somebody speaks, of 1. */
const SPEAKS = 0.25;

/** @typedef {{ track: MediaStreamTrack, source: MediaStreamAudioSourceNode, gain: GainNode, analyser: AnalyserNode, element: HTMLAudioElement }} Voice */

export class RoomAudio extends EventTarget {
  #context = new AudioContext();
  #master = new GainNode(this.#context);
  /** @type {Map<string, Voice>} */
  #voices = new Map();
  /** @type {Map<string, number>} */
  #volumes = new Map();
  #samples = new Float32Array(512);

  constructor() {
    super();
    this.#master.connect(this.#context.destination);
    this.#context.onstatechange = () => this.dispatchEvent(new CustomEvent('change'));
    addEventListener('pointerdown', this.resume);
    addEventListener('keydown', this.resume);
    document.addEventListener('visibilitychange', this.resume);
    this.resume();
  }

  /** Whether the browser, or a call, holds the audio back. */
  get suspended() { return this.#context.state !== 'running'; }

  /** Starts, after a call too. */
  resume = () => { if (this.suspended && this.#context.state !== 'closed') this.#context.resume().catch(() => {}); };

  /** @param {string} id @param {MediaStreamTrack} track */
  add(id, track) {
    const { track: before } = this.#voices.get(id) ?? {};
    if (before === track) return;
    this.remove(id);
    const stream = new MediaStream([track]);
    // Chromium gives a graph the audio of a connection only while an element plays it as well.
    const element = new Audio();
    Object.assign(element, { muted: true, srcObject: stream });
    element.play().catch(() => {});
    const source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    const gain = new GainNode(this.#context, { gain: this.volume(id) });
    const analyser = new AnalyserNode(this.#context, { fftSize: 512 });
    source.connect(analyser);
    source.connect(gain).connect(this.#master);
    this.#voices.set(id, { track, source, gain, analyser, element });
  }

  /** @param {string} id */
  remove(id) {
    const voice = this.#voices.get(id);
    if (!voice) return;
    voice.source.disconnect();
    voice.gain.disconnect();
    voice.element.srcObject = null;
    this.#voices.delete(id);
  }

  /** @param {string} id @returns {MediaStreamTrack | undefined} */
  track(id) { return this.#voices.get(id)?.track; }

  /** @param {string} id @returns {number} 0 to 1 */
  volume(id) { return this.#volumes.get(id) ?? 1; }

  /** @param {string} id @param {number} volume 0 to 1 */
  setVolume(id, volume) {
    this.#volumes.set(id, volume);
    const { gain } = this.#voices.get(id) ?? {};
    if (gain) gain.gain.value = volume;
  }

  /** Whether somebody speaks at this moment. @param {string} id */
  speaks(id) { return this.level(id) > SPEAKS; }

  /** 0 (60 dB below full scale, or less) to 1. @param {string} id */
  level(id) {
    const { analyser } = this.#voices.get(id) ?? {};
    if (!analyser) return 0;
    analyser.getFloatTimeDomainData(this.#samples);
    const peak = this.#samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    return Math.min(1, Math.max(0, 1 + Math.log10(peak) / 3));
  }

  close() {
    removeEventListener('pointerdown', this.resume);
    removeEventListener('keydown', this.resume);
    document.removeEventListener('visibilitychange', this.resume);
    for (const id of [...this.#voices.keys()]) this.remove(id);
    this.#context.close().catch(() => {});
  }
}
