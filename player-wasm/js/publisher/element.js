// <srs-publisher>: publishes camera, screen or microphone from a page.
//
// No device is opened before the user presses the button or the page calls start().

import { NUMBERS, OTHERS, OWN, SWITCHES, TEXTS } from './attributes.js';
import { secureAddress } from './secure-address.js';
import { reflect } from '../ui/media-members.js';
import { PublisherSkin } from './skin.js';
import { mark } from '../ui/state-attributes.js';
import { upgrade } from '../ui/upgrade.js';
import { speech } from './texts.js';

/** @typedef {import('../types/index.js').PublisherState} PublisherState */
/** @typedef {import('./engine/publisher.js').Publisher} Publisher */

// On a server there are no elements; importing this module must work there too.
const Host = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

const SETTINGS = [...TEXTS, ...SWITCHES, ...NUMBERS, ...OWN];
const BUSY = ['requesting', 'connecting', 'live', 'reconnecting'];

/** The engine, once it is loaded. A load after a click would use up the click. @type {typeof import('./engine/publisher.js') | undefined} */
let engine;
let misses = 0;
/** Returns another address of the published module. Bundlers must not resolve it. */
const again = () => `./publisher-engine.js?${++misses}`;

/** Fetches the engine. A browser may remember that an address failed, so the second attempt takes another one. */
async function load() {
  engine ??= await import('./engine/publisher.js')
    .catch(() => import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ again()));
  return /** @type {typeof import('./engine/publisher.js')} */ (engine);
}

export class SrsPublisherElement extends Host {
  /** The folder of publisher-tap.js for elements without the attribute `base`; empty: beside this module. */
  static base = '';
  static observedAttributes = [...SETTINGS, ...OTHERS];

  #video;
  #skin;
  #internals = this.attachInternals?.();
  /** @type {Publisher | null} */
  #engine = null;
  /** @type {PublisherState} */
  #state = 'idle';
  #reason = '';
  /** @type {import('../types/index.js').PublisherError | null} */
  #error = null;
  /** @type {import('../types/index.js').PublisherStats | null} */
  #stats = null;
  /** The token from the page or from the user. It is never written into an attribute. @type {import('../net/token-ask.js').Token | null} */
  #token = null;
  /** @type {Promise<void> | null} */
  #starting = null;
  #secure = '';
  #since = 0;
  #changed = false;
  #meter = 0;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    this.#video = document.createElement('video');
    Object.assign(this.#video, { muted: true, playsInline: true, autoplay: true, tabIndex: -1 });
    this.#video.setAttribute('part', 'video');
    this.#skin = new PublisherSkin(/** @type {import('../types/index.js').SrsPublisherElement} */ (/** @type {unknown} */ (this)), this.#video, root);
  }

  connectedCallback() {
    upgrade(this, [...SETTINGS, 'cameraOff', 'secureAddress']);
    navigator.mediaDevices?.addEventListener('devicechange', this.#devices);
    load().then(() => this.#preview(), () => {});
  }

  /** Creates the style sheets again: a sheet belongs to one document. */
  adoptedCallback() { this.#skin.settle(); }

  disconnectedCallback() {
    navigator.mediaDevices?.removeEventListener('devicechange', this.#devices);
    // An element that moves within the page continues.
    queueMicrotask(() => { if (!this.isConnected) void this.stop(); });
  }

  /** @param {string} name @param {string | null} old @param {string | null} value */
  attributeChangedCallback(name, old, value) {
    if (old === value) return;
    if (name === 'lang') this.#skin.translate();
    if (SETTINGS.includes(name)) this.#change();
    if (name === 'preview' && engine) this.#preview();
    this.#skin.render();
  }

  get source() {
    const source = this.getAttribute('source') ?? '';
    return /** @type {'camera' | 'screen' | 'audio'} */ (/^(screen|audio)$/.test(source) ? source : 'camera');
  }
  set source(value) { this.setAttribute('source', value); }

  get width() { return Number(this.getAttribute('width')) || 1280; }
  set width(value) { this.setAttribute('width', String(value)); }
  get height() { return Number(this.getAttribute('height')) || 720; }
  set height(value) { this.setAttribute('height', String(value)); }
  get fps() { return Number(this.getAttribute('fps')) || 30; }
  set fps(value) { this.setAttribute('fps', String(value)); }
  get bitrate() { return Number(this.getAttribute('bitrate')) || 0; }
  set bitrate(value) { this.setAttribute('bitrate', String(value)); }

  get cameraOff() { return this.hasAttribute('camera-off'); }
  set cameraOff(value) { this.toggleAttribute('camera-off', Boolean(value)); }

  get token() { return this.#token ?? this.getAttribute('token') ?? ''; }
  set token(value) {
    this.#token = value;
    this.#change();
  }

  get state() { return this.#state; }
  get reason() { return this.#reason; }
  get error() { return this.#error; }
  get stats() { return this.#stats; }
  get stream() { return this.#engine?.stream ?? null; }
  get mirrored() { return this.#engine?.mirrored ?? false; }
  get devices() { return this.#engine?.devices ?? { camera: '', microphone: '' }; }
  get level() { return this.#engine?.level ?? 0; }
  get video() { return this.#video; }
  get elapsed() { return this.#since ? (performance.now() - this.#since) / 1000 : 0; }
  get secureAddress() { return this.#secure || secureAddress(location); }
  set secureAddress(value) {
    this.#secure = value;
    this.#change();
  }

  /**
   * Opens the source and publishes it. Resolves when the stream is live.
   * @returns {Promise<void>}
   */
  start() {
    if (!this.#starting) {
      const starting = this.#starting = this.#start().finally(() => { if (this.#starting === starting) this.#starting = null; });
      // A page may ignore the promise: `error` and `state` have the reason too.
      starting.catch(() => {});
    }
    return this.#starting;
  }

  /** The same as start(). */
  publish() { return this.start(); }

  /** Stops publishing, and closes camera and microphone. Resolves when the name is free. */
  async stop() {
    this.#starting = null;
    if (this.#engine) return this.#engine.stop();
    if (this.#state !== 'ended') this.#show('idle');
    return undefined;
  }

  /** Shows the camera before publishing, if the page wants a preview. Failures are not reported. */
  #preview() {
    if (!this.isConnected || !this.hasAttribute('preview') || this.#state !== 'idle' || this.stream) return;
    this.#engine ??= this.#open(/** @type {typeof import('./engine/publisher.js')} */ (engine));
    this.#engine.set(this.#options());
    void this.#engine.preview();
  }

  async #start() {
    this.#error = null;
    this.#since = 0;
    if (!this.#engine) {
      if (!engine) {
        this.#show('requesting');
        try {
          await load();
        } catch (error) {
          this.#fail('engine', speech(this.lang)('engine'));
          throw error;
        }
        if (/** @type {PublisherState} */ (this.#state) !== 'requesting') throw new DOMException('start() was stopped', 'AbortError');
      }
      this.#engine = this.#open(/** @type {typeof import('./engine/publisher.js')} */ (engine));
    }
    this.#engine.set(this.#options());
    await this.#engine.start().catch((error) => {
      throw error.code === 'stopped' ? new DOMException('start() was stopped', 'AbortError') : new DOMException(this.#sentence(error.code, error.detail), 'OperationError');
    });
  }

  /** @param {typeof import('./engine/publisher.js')} module */
  #open({ Publisher }) {
    const publisher = new Publisher(this.#options());
    /** @type {<T>(type: string, take: (detail: T) => void) => void} */
    const on = (type, take) => publisher.addEventListener(type, (event) => take(/** @type {CustomEvent} */ (event).detail));
    on('state', (/** @type {{ state: PublisherState, code: string, detail: string }} */ { state, code, detail }) => {
      const text = code ? this.#sentence(code, detail) : '';
      if (state === 'error') return this.#fail(code, text);
      if (state === 'live' && !this.#since) this.#since = performance.now();
      return this.#show(state, text);
    });
    on('warning', (/** @type {{ code: string, detail: string }} */ { code, detail }) => {
      const message = this.#sentence(code, detail);
      this.#skin.notice(message);
      this.dispatchEvent(new CustomEvent('warning', { detail: { code, message } }));
    });
    on('stats', (/** @type {import('../types/index.js').PublisherStats} */ detail) => {
      this.#stats = detail;
      this.#skin.render();
      this.dispatchEvent(new CustomEvent('stats', { detail }));
    });
    on('capture', () => this.#captured());
    return publisher;
  }

  /** Handles changed tracks. */
  #captured() {
    const { stream } = this;
    if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
    cancelAnimationFrame(this.#meter);
    if (stream) {
      this.#devices();
      const show = () => {
        this.#skin.showLevel(this.level);
        this.#meter = requestAnimationFrame(show);
      };
      show();
    }
    this.#skin.render();
  }

  // Read the list of devices only after the user has given the permission.
  #devices = () => { if (this.stream) void this.#skin.devices(); };

  /** Applies changed attributes, several at once. */
  #change() {
    if (this.#changed) return;
    this.#changed = true;
    queueMicrotask(() => {
      this.#changed = false;
      this.#engine?.set(this.#options());
      this.#skin.render();
    });
  }

  #options() {
    const retry = this.getAttribute('retry');
    const attribute = (/** @type {string} */ name) => this.getAttribute(name) ?? '';
    return {
      url: attribute('url'), base: attribute('base') || SrsPublisherElement.base, token: this.token, source: this.source,
      protocol: attribute('protocol') || 'auto',
      retry: retry && Number(retry) >= 0 ? Number(retry) : Infinity,
      camera: attribute('camera'), microphone: attribute('microphone'),
      width: this.width, height: this.height, fps: this.fps, bitrate: this.bitrate * 1000,
      muted: this.hasAttribute('muted'), cameraOff: this.cameraOff, secure: this.secureAddress,
    };
  }

  /** Returns the sentence for a code in the user's language, or the server's detail if there is no sentence. @param {string} code @param {string} detail */
  #sentence(code, detail) {
    // The sentence for `forbidden` asks for the server's secret. If the page provides tokens, users do not know the secret.
    if (code === 'forbidden' && typeof this.token === 'function') return detail || speech(this.lang)('denied');
    const say = speech(this.lang);
    return say(`${code}:${detail}`) || say(code, detail) || detail || code;
  }

  /** @param {string} code @param {string} message */
  #fail(code, message) {
    this.#error = { code, message };
    this.#show('error', message);
    this.dispatchEvent(new CustomEvent('error', { detail: this.#error }));
  }

  /** @param {PublisherState} state @param {string} [reason] */
  #show(state, reason = '') {
    const changed = state !== this.#state || reason !== this.#reason;
    this.#state = state;
    this.#reason = reason;
    if (state !== 'error') this.#error = null;
    if (!BUSY.includes(state)) this.#stats = null;
    if (changed) {
      mark(this, this.#internals, state, state === 'error' ? this.#error?.code ?? '' : undefined);
      this.dispatchEvent(new CustomEvent('statechange', { detail: { state, reason } }));
    }
    this.#skin.render();
  }
}

reflect(SrsPublisherElement.prototype, TEXTS, SWITCHES, NUMBERS);
