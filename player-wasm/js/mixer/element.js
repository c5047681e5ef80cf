// <srs-mixer>: mixes several streams into one, in the page.

import { NUMBERS, OTHERS, OWN, SWITCHES, TEXTS } from './attributes.js';
import { addressOf, itemsOf, MAX_INPUTS, sizeOf } from './items.js';
import { LAYOUTS, LOOK, refused } from './layout/look.js';
import { Mixer } from './mixer.js';
import { words } from './texts.js';
import { MixerView } from './view.js';
import { reflect } from '../ui/media-members.js';
import { mark } from '../ui/state-attributes.js';

/** @typedef {import('../types/define-mixer.js').MixerState} MixerState */
/** @typedef {import('../types/define-mixer.js').MixInput} MixInput */
/** @typedef {import('../types/define-mixer.js').MixLayout} MixLayout */
/** @typedef {import('../types/define-mixer.js').MixLook} MixLook */

// A server has no elements; importing this module must work there too.
const Host = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

const SETTINGS = [...TEXTS, ...SWITCHES, ...NUMBERS, ...OWN];

export class SrsMixerElement extends Host {
  /** The folder of mixer-worker.js for elements without the attribute `base`; empty: beside this module. */
  static base = '';
  static observedAttributes = [...SETTINGS, ...OTHERS];

  #view;
  #internals = this.attachInternals?.();
  /** @type {Mixer | null} */
  #mixer = null;
  /** @type {MixerState} */
  #state = 'idle';
  /** @type {import('../types/index.js').PublisherError | null} */
  #error = null;
  #warning = '';
  /** The warning is that of audio that waits for a click. */
  #suspended = false;
  /** @type {import('../types/define-mixer.js').MixerStats | null} */
  #stats = null;
  /** The inputs that the page has given. @type {MixInput[] | null} */
  #given = null;
  /** The layout that the page has given, if it is more than a name. @type {MixLayout | null} */
  #layout = null;
  /** @type {Partial<MixLook>} */
  #look = {};
  /** Never written into an attribute. @type {import('../net/token-ask.js').Token | null} */
  #token = null;
  #changed = false;

  constructor() {
    super();
    this.#view = new MixerView(this, this.attachShadow({ mode: 'open' }));
  }

  connectedCallback() {
    // Properties that were set before the element was defined.
    for (const name of SETTINGS) {
      if (!Object.hasOwn(this, name)) continue;
      const self = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (this));
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
    this.#view.render();
  }

  /** Another document needs style sheets of its own. */
  adoptedCallback() { this.#view.settle(); }

  disconnectedCallback() {
    // An element that was moved within the page goes on.
    queueMicrotask(() => { if (!this.isConnected) void this.stop(); });
  }

  /** @param {string} name @param {string | null} old @param {string | null} value */
  attributeChangedCallback(name, old, value) {
    if (old === value) return;
    if (name === 'layout') this.#layout = null;
    if (name === 'inputs') this.#given = null;
    this.#change();
  }

  get state() { return this.#state; }
  get error() { return this.#error; }
  get stats() { return this.#stats; }
  /** A sentence about what is amiss while the mix goes on; empty: nothing is. */
  get warning() { return this.#warning; }
  /** The preview in the shadow tree. */
  get video() { return this.#view.video; }
  /** The id of the input that speaks; empty: nobody has spoken. */
  get speaker() { return this.#mixer?.speaker ?? ''; }

  /** The inputs. While the mix runs, each has its `state`. @returns {readonly import('../types/define-mixer.js').MixInputStatus[]} */
  get inputs() {
    return this.#mixer?.inputs ?? this.#items().map(({ id, name }) => ({ id, name, state: 'idle', code: '' }));
  }
  set inputs(/** @type {MixInput[]} */ list) {
    this.#given = [...list];
    this.#change();
  }

  /** @returns {MixLayout} */
  get layout() {
    const name = this.getAttribute('layout') ?? '';
    return this.#layout ?? /** @type {MixLayout} */ (LAYOUTS.includes(name) ? name : 'grid');
  }
  set layout(layout) {
    const why = refused(layout);
    if (why) throw new TypeError(why);
    if (typeof layout === 'string') this.setAttribute('layout', layout);
    this.#layout = typeof layout === 'string' ? null : layout;
    this.#change();
  }

  get token() { return this.#token ?? this.getAttribute('token') ?? ''; }
  set token(value) {
    this.#token = value;
    this.#change();
  }

  get rate() { return Math.min(60, Math.max(1, Number(this.getAttribute('rate')) || 30)); }
  set rate(value) { this.setAttribute('rate', String(value)); }
  get bitrate() { return Number(this.getAttribute('bitrate')) || 0; }
  set bitrate(value) { this.setAttribute('bitrate', String(value)); }
  get margin() { return Number(this.getAttribute('margin')) || 0; }
  set margin(value) { this.setAttribute('margin', String(value)); }
  get gap() { return Number(this.getAttribute('gap') ?? LOOK.gap) || 0; }
  set gap(value) { this.setAttribute('gap', String(value)); }

  /** Changes the layout. Throws a TypeError if it is none. @param {MixLayout} layout */
  setLayout(layout) { this.layout = layout; }

  /** Changes how the inputs are drawn. @param {Partial<Omit<MixLook, 'layout'>>} look */
  setLook(look) {
    this.#look = { ...this.#look, ...look };
    this.#change();
  }

  /** Changes one input: its name, gain, whether it is muted, hidden or a screen. @param {string} id @param {Partial<Exclude<MixInput, string | MediaStream>>} changes */
  setInput(id, changes) {
    this.inputs = this.#items().map(({ url, media, ...item }) => ({ ...item, stream: media ?? url, ...(item.id === id && changes) }));
  }

  /** Mixes and publishes; resolves when the mix is live. Has to be called in a click, unless the page may play audio without one. */
  async start() {
    const stopped = this.stop();
    this.#error = null;
    this.#warning = '';
    const size = sizeOf(this.getAttribute('size') ?? '1280x720');
    if (!size) return this.#fail('bad-size', this.getAttribute('size') ?? '');
    if (!this.getAttribute('output')) return this.#fail('no-output');
    const base = this.getAttribute('base') || SrsMixerElement.base;
    // Made before anything is awaited: audio starts within a click.
    const mixer = this.#mixer = new Mixer({ ...this.#options(), ...size, rate: this.rate, base, secure: location.href.replace(/^http:/, 'https:') }, this.#items(), this.#drawn());
    this.#listen(mixer);
    this.#show('connecting');
    await stopped;
    await mixer.start().catch((error) => {
      if (mixer !== this.#mixer && this.#state !== 'error') throw new DOMException('start() was stopped', 'AbortError');
      return this.#fail(error.code ?? 'engine', error.detail ?? String(error));
    });
    return undefined;
  }

  /** Ends the mix; resolves when the name is free. */
  async stop() {
    const mixer = this.#mixer;
    this.#mixer = null;
    this.#stats = null;
    this.#view.preview(null);
    if (mixer && this.#state !== 'error') this.#show(this.#state === 'connecting' ? 'idle' : 'ended');
    await mixer?.close();
  }

  /** @param {Mixer} mixer */
  #listen(mixer) {
    /** @type {<T>(type: string, take: (detail: T) => void) => void} */
    const on = (type, take) => mixer.addEventListener(type, (event) => { if (mixer === this.#mixer) take(/** @type {CustomEvent} */ (event).detail); });
    on('track', () => this.#view.preview(mixer.track));
    on('inputs', () => {
      this.dispatchEvent(new CustomEvent('inputschange', { detail: { inputs: mixer.inputs } }));
      this.#view.render();
    });
    on('state', (/** @type {{ state: import('../types/index.js').PublisherState, code: string, detail: string }} */ { state, code, detail }) => {
      // The error of start() says the same.
      if (state === 'error') void this.#fail(code, detail).catch(() => {});
      else this.#show(state === 'requesting' ? 'connecting' : state);
    });
    on('warning', (/** @type {{ code: string, detail: string }} */ { code, detail }) => this.#warn(code, detail));
    on('stats', (/** @type {import('../types/index.js').PublisherStats} */ stats) => {
      this.#stats = { ...stats, ...mixer.figures };
      if (this.#suspended && !mixer.suspended) this.#suspended = Boolean(this.#warning = '');
      this.#view.render();
      this.dispatchEvent(new CustomEvent('stats', { detail: this.#stats }));
    });
  }

  get #server() { return this.getAttribute('server') || location.origin; }

  get #list() { return this.#given ?? (this.getAttribute('inputs') ?? '').split(/[\s,]+/).filter(Boolean); }

  #items() { return itemsOf(this.#list, this.#server); }

  /** @returns {MixLook} */
  #drawn() {
    const background = this.getAttribute('background') ?? '';
    return {
      ...LOOK, names: this.hasAttribute('names'), margin: this.margin, gap: this.gap,
      background: /^#[0-9a-f]{6}$/i.test(background) ? background : LOOK.background,
      ...this.#look, layout: this.layout,
    };
  }

  #options() {
    const retry = this.getAttribute('retry');
    return {
      output: addressOf(this.getAttribute('output') ?? '', this.#server, 'whip'), token: this.token, bitrate: this.bitrate * 1000,
      retry: retry && Number(retry) >= 0 ? Number(retry) : Infinity,
    };
  }

  /** Applies changed attributes and properties, several at once. */
  #change() {
    if (this.#changed) return;
    this.#changed = true;
    queueMicrotask(() => {
      this.#changed = false;
      const mixer = this.#mixer;
      if (mixer) {
        if (this.#list.length > MAX_INPUTS) this.#warn('too-many', String(MAX_INPUTS));
        mixer.items = this.#items();
        mixer.look = this.#drawn();
        mixer.set(this.#options());
      }
      this.#view.render();
    });
  }

  /** @param {string} code @param {string} [detail] */
  #warn(code, detail = '') {
    this.#warning = words(this.lang)(code, detail) || detail;
    this.#suspended = code === 'sound-suspended';
    this.dispatchEvent(new CustomEvent('warning', { detail: { code, message: this.#warning } }));
    this.#view.render();
  }

  /** @param {string} code @param {string} [detail] @returns {Promise<never>} */
  async #fail(code, detail = '') {
    const message = words(this.lang)(code, detail) || detail || code;
    const mixer = this.#mixer;
    // The mixer and the promise of start() report the same failure.
    if (!this.#error || mixer) {
      this.#mixer = null;
      this.#error = { code, message };
      this.#view.preview(null);
      this.#show('error');
      this.dispatchEvent(new CustomEvent('error', { detail: this.#error }));
    }
    await mixer?.close();
    throw new DOMException(message, 'OperationError');
  }

  /** @param {MixerState} state */
  #show(state) {
    const changed = state !== this.#state;
    this.#state = state;
    if (state !== 'error') this.#error = null;
    if (state === 'live') this.#warning = '';
    if (changed || state === 'error') {
      mark(this, this.#internals, state, this.#error?.code);
      this.dispatchEvent(new CustomEvent('statechange', { detail: { state } }));
    }
    this.#view.render();
  }
}

reflect(SrsMixerElement.prototype, TEXTS, SWITCHES, NUMBERS);
