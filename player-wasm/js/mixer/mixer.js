// The mix without controls: plays the inputs, draws and adds them up, and publishes the result.

import { Publisher } from '../publisher/engine/publisher.js';
import { FADE_OUT, MixAudio } from './audio.js';
import { MixCapture } from './capture.js';
import { startPainting } from './draw/painter.js';
import { MixSource } from './input.js';

/** @typedef {import('./items.js').Item} Item */
/** @typedef {import('../types/define-mixer.js').MixLook} MixLook */
/**
 * @typedef {object} MixOptions
 * @property {string} output address of the WHIP endpoint, or another one that a publisher takes
 * @property {number} width
 * @property {number} height
 * @property {number} rate
 * @property {number} bitrate bits per second; 0: what suits the size
 * @property {number} retry attempts to reconnect
 * @property {string} base
 * @property {string} secure the page's address over HTTPS
 * @property {import('../net/token-ask.js').Token} token
 */

/**
 * One mix, from its start to its end.
 *
 * Events: `state`, `warning` and `stats` of the publisher; `inputs` when the state of an input has changed; `track` when
 * there is something to preview.
 */
export class Mixer extends EventTarget {
  /** Made at once: browsers start audio within a click. */
  #audio = new MixAudio();
  #options;
  /** @type {Map<string, { source: MixSource, video: MediaStreamTrack | null }>} */
  #inputs = new Map();
  /** @type {Item[]} */
  #items = [];
  /** @type {MixLook} */
  #look;
  /** @type {import('./draw/painter.js').Painter | null} */
  #painter = null;
  /** @type {Publisher | null} */
  #publisher = null;
  #closed = false;
  #count = { frames: 0, skipped: 0, speaker: -1 };
  #rate = { at: 0, frames: 0, fps: 0 };

  /** @param {MixOptions} options @param {Item[]} items @param {MixLook} look */
  constructor(options, items, look) {
    super();
    this.#options = options;
    this.#look = look;
    this.items = items;
  }

  get track() { return this.#painter?.track ?? null; }
  /** Each input with its state. */
  get inputs() {
    return [...this.#inputs].map(([id, { source: { item, state, code } }]) => ({ id, name: item.name, state, code }));
  }
  /** The id of the input that speaks; empty: nobody has spoken. */
  get speaker() { return this.#items[this.#count.speaker]?.id ?? ''; }
  /** Whether the browser holds the audio back. */
  get suspended() { return this.#audio.suspended; }
  /** Figures of the mixing. */
  get figures() { return { mixed: this.#rate.fps, skipped: this.#count.skipped, inputs: this.#inputs.size }; }

  /** @param {Item[]} items */
  set items(items) {
    this.#items = items;
    for (const [id, input] of this.#inputs) {
      const now = items.find((item) => item.id === id);
      // A page that hands over another stream changes the tracks; another address is another connection.
      if (!now || now.url !== input.source.item.url) this.#remove(id);
    }
    for (const item of items) {
      const input = this.#inputs.get(item.id);
      if (input) input.source.set(item);
      else this.#inputs.set(item.id, { source: new MixSource(item, () => this.#options.token, () => this.#emit('inputs')), video: null });
    }
    this.#paint();
    this.#tick();
  }

  /** @param {MixLook} look */
  set look(look) {
    this.#look = look;
    this.#paint();
  }

  /** Applies options that may change while the mix is live. @param {Pick<MixOptions, 'bitrate' | 'token' | 'retry' | 'output'>} changes */
  set(changes) {
    this.#options = { ...this.#options, ...changes };
    this.#publisher?.set(this.#published());
  }

  /** Mixes and publishes; throws an error with a `code`. */
  async start() {
    const painter = await startPainting(this.#options, (count) => this.#counted(count), (detail) => this.#emit('state', { state: 'error', code: 'engine', detail }));
    if (this.#closed) {
      painter.close();
      throw Object.assign(new Error('start() was stopped'), { code: 'stopped' });
    }
    this.#painter = painter;
    this.#paint();
    this.#tick();
    this.#emit('track');
    const publisher = this.#publisher = new Publisher(this.#published(),
      () => /** @type {import('../publisher/engine/capture.js').Capture} */ (/** @type {unknown} */ (new MixCapture(painter.track, this.#audio))));
    for (const type of ['state', 'warning', 'stats']) {
      publisher.addEventListener(type, (event) => this.#emit(type, /** @type {CustomEvent} */ (event).detail));
    }
    await publisher.start();
  }

  /** Ends the mix; resolves when the name is free. */
  async close() {
    this.#closed = true;
    await this.#publisher?.stop();
    for (const { source } of this.#inputs.values()) source.close();
    this.#inputs.clear();
    this.#painter?.close();
    this.#painter = null;
    this.#audio.close();
  }

  #published() {
    const { output, token, retry, bitrate, secure, base, width, height, rate } = this.#options;
    // As with a screen, the size of the video stays as it is when the network or the computer is slow.
    return /** @type {import('../publisher/engine/publisher.js').PublisherOptions} */ ({
      url: output, token, retry, bitrate, secure, base, width, height, fps: rate, protocol: 'auto', source: 'screen', camera: '', microphone: '', muted: false, cameraOff: false,
    });
  }

  /** @param {string} id */
  #remove(id) {
    const input = this.#inputs.get(id);
    this.#inputs.delete(id);
    this.#audio.remove(id);
    this.#painter?.use(id, null);
    // It is silent first.
    setTimeout(() => input?.source.close(), FADE_OUT);
  }

  #paint() {
    this.#painter?.post({ type: 'look', look: this.#look });
    this.#painter?.post({ type: 'sources', sources: this.#items.map(({ id, name, screen, hidden }) => ({ id, name, screen, hidden })) });
  }

  /** @param {{ frames: number, skipped: number, speaker: number }} count */
  #counted(count) {
    if (this.#closed) return;
    this.#count = count;
    const at = performance.now();
    const passed = (at - this.#rate.at) / 1000;
    if (passed >= 1) this.#rate = { at, frames: count.frames, fps: this.#rate.at ? (count.frames - this.#rate.frames) / passed : 0 };
    this.#tick();
  }

  /** Follows the tracks of the inputs, ten times a second. Pages and browsers change them without an event. */
  #tick() {
    /** @type {Record<string, import('./draw/scene.js').SourceState>} */
    const states = {};
    for (const [id, input] of this.#inputs) {
      const { source } = input;
      source.tick();
      const { video, audio, item } = source;
      if (this.#painter && video !== input.video) {
        input.video = video;
        this.#painter.use(id, video);
      }
      if (audio) this.#audio.add(id, audio, item.muted ? 0 : item.gain);
      else this.#audio.remove(id);
      states[id] = { level: item.muted ? -127 : this.#audio.level(id), live: Boolean(video) };
    }
    this.#painter?.post({ type: 'states', states });
  }

  /** @param {string} type @param {unknown} [detail] */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
