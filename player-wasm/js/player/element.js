// <srs-player>: a <video> for live streams.
//
// It has a <video> in its shadow tree, and the same properties, methods and events as a <video>.
// The engine is fetched when playback starts, never before.

import { resolve } from './address.js';
import { NUMBERS, OTHERS, OWN, SWITCHES, TEXTS } from './attributes.js';
import { extensions, sentence } from './extensions.js';
import { fetched, words } from './texts.js';
import { options, preload } from './options.js';
import { abort, pending } from './play-promise.js';
import { sizeOf } from './size.js';
import { forward, reflect, MEDIA_EVENTS } from '../ui/media-members.js';
import { newSheet } from '../ui/sheet.js';
import { Skin } from './skin.js';
import { mark } from '../ui/state-attributes.js';

/**
 * @typedef {import('../types/index.js').PlayerState} PlayerState
 * @typedef {import('../types/index.js').PlayerError} PlayerError
 * @typedef {import('./engine/player.js').Player} Player
 */

// On a server there are no elements; importing this module must work there too.
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

/** Number of failed attempts to fetch the engine. Browsers may remember a failed fetch of an address. */
let misses = 0;
/** Returns another address of the same module, for a new attempt. Bundlers must not resolve it. */
const again = () => `./player.js?${misses}`;

export class SrsPlayerElement extends Base {
  /** The folder of worker.js and the wasm for elements without the attribute `base`; empty: beside this module. */
  static base = '';
  static observedAttributes = [...TEXTS, ...SWITCHES, ...NUMBERS, ...OWN, ...OTHERS];

  #video;
  #skin;
  /** @type {CSSStyleSheet | undefined} */
  #sheet;
  #internals = this.attachInternals?.();
  /** @type {Player | null} */
  #player = null;
  /** The number of the current start. Asynchronous steps of an earlier start stop when they see another number. */
  #run = 0;
  /** Whether the page or the viewer wants the element to play. */
  #wanted = false;
  /** The engine's state; null while there is no engine. @type {PlayerState | null} */
  #engine = null;
  /** @type {PlayerState} */
  #state = 'idle';
  #reason = '';
  /** @type {PlayerError | null} */
  #error = null;
  #soundBlocked = false;
  #extensions;
  /** The token that the page has set as a property. It is not written into the attribute. @type {import('../net/token-ask.js').Token | null} */
  #token = null;
  /** The pending promise of play(). @type {{ promise: Promise<void>, resolve: () => void, reject: (why: unknown) => void } | null} */
  #answer = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    this.#video = document.createElement('video');
    this.#video.playsInline = true;
    this.#video.setAttribute('part', 'video');
    this.#video.tabIndex = -1;
    const host = /** @type {import('../types/index.js').SrsPlayerElement} */ (/** @type {unknown} */ (this));
    this.#skin = new Skin(host, this.#video, root);
    this.#extensions = extensions(host, this.#video, this.#skin, () => this.#wanted && !!this.#player);
    this.#dress(root);
    for (const type of MEDIA_EVENTS) {
      this.#video.addEventListener(type, () => {
        this.#follow(type);
        this.dispatchEvent(new Event(type));
      });
    }
  }

  connectedCallback() {
    // Apply properties that the page set before the element was defined.
    for (const name of [...TEXTS, ...SWITCHES, ...NUMBERS, ...OWN, 'volume']) {
      if (!Object.hasOwn(this, name)) continue;
      const self = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (this));
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
    // Wait until the parser has set all attributes.
    queueMicrotask(() => {
      if (!this.isConnected || this.#player || !this.url) return;
      if (this.#wanted || this.hasAttribute('autoplay')) this.play().catch(() => {});
      else this.#preload();
    });
  }

  /** Creates the style sheets again, because they belong to one document and the element has moved to another one. */
  adoptedCallback() {
    this.#skin.settle();
    this.#dress(/** @type {ShadowRoot} */ (this.shadowRoot));
    this.#skin.render();
    // Browsers reset a media element that moves to an iframe.
    if (!this.#player || this.#video.readyState > 0) return;
    if (this.#wanted) this.load();
    else this.#stop();
  }

  disconnectedCallback() {
    // An element that moves within the page continues. A removed one stops, and plays again when it is inserted.
    queueMicrotask(() => {
      if (this.isConnected) return;
      const wanted = this.#wanted;
      this.#stop();
      this.#wanted = wanted;
    });
  }

  /**
   * @param {string} name
   * @param {string | null} old
   * @param {string | null} value
   */
  attributeChangedCallback(name, old, value) {
    if (old === value) return;
    if (name === 'url' || name === 'src') this.#changed();
    else if (name === 'poster') this.#video.poster = value ?? '';
    else if (name === 'muted') this.muted = value !== null;
    else if (name === 'lang' || name === 'title') this.#skin.translate();
    else if (name === 'stats') this.#skin.showStats(value !== null);
    else if (name === 'token') this.#shows();
    else if (/^(width|height|ratio)$/.test(name)) this.#layout();
    else if (/^(captions|viewers|danmaku)$/.test(name)) this.#extensions.show();
    else if (name === 'loop' && this.#player) this.#player.loop = value !== null;
    else if (name === 'latency') this.#player && (this.#player.latency = options(this).latency);
    else if (name === 'protocol' && this.#player) this.#changed();
    else if (name === 'autoplay' && value !== null && this.isConnected && this.#state === 'idle') this.connectedCallback();
    this.#skin.render();
  }

  /** The `<video>` in the shadow tree. */
  get video() { return this.#video; }

  get url() { return this.getAttribute('url') ?? this.getAttribute('src') ?? ''; }
  set url(value) { this.setAttribute('url', value); }
  get src() { return this.url; }
  set src(value) { this.setAttribute('src', value); if (this.hasAttribute('url')) this.url = value; }

  get token() { return this.#token ?? this.getAttribute('token') ?? ''; }
  set token(value) {
    this.#token = value;
    this.#shows();
  }

  get state() { return this.#state; }
  get error() { return this.#error; }
  get soundBlocked() { return this.#soundBlocked; }
  get stats() { return this.#player?.stats ?? null; }

  /** The reason for the state in the viewer's language; may be empty. */
  get reason() { return this.#reason; }

  get muted() { return this.#video.muted; }
  set muted(value) {
    this.#video.muted = Boolean(value);
    if (!value) this.#soundBlocked = false;
  }

  get defaultMuted() { return this.hasAttribute('muted'); }
  set defaultMuted(value) { this.toggleAttribute('muted', Boolean(value)); }

  /** Whether playback is at the live edge. */
  get live() {
    const stats = this.stats;
    return this.#state === 'live' && !!stats && this.#video.duration === Infinity && !stats.behind && stats.latency < Math.max(1, 5 * stats.target);
  }

  /** Stops, and starts again if it was playing. */
  load() {
    const wanted = this.#wanted || this.#state === 'error' || this.#state === 'ended';
    this.#stop();
    if (wanted || this.hasAttribute('autoplay')) this.play().catch(() => {});
  }

  /**
   * Plays. The promise resolves when video or audio plays.
   * @returns {Promise<void>}
   */
  play() {
    this.#wanted = true;
    this.#answer ??= pending();
    const { promise } = this.#answer;
    if (this.#player && this.#engine !== 'error' && this.#engine !== 'ended') {
      this.#player.play().then(() => this.#follow('play'), (error) => this.#refused(error));
    } else {
      this.#start();
    }
    this.#show();
    return promise;
  }

  pause() {
    this.#wanted = false;
    if (this.#video.readyState === 0) this.#stop();
    else this.#player?.pause();
    this.#settle(abort('paused'));
    this.#show();
  }

  /** Jumps to live, and plays. */
  goLive() {
    this.#player?.goLive();
    return this.play();
  }

  /** Fetches a file before playback if the attribute `preload` asks for it. Live streams are not preloaded. */
  #preload() {
    if (this.#state === 'idle' && !this.token) preload(this.#video, this.url, this.getAttribute('preload'));
  }

  /** Passes a changed token to the engine. The next attempt to connect uses it. */
  #shows() {
    if (this.#player) this.#player.token = this.token;
  }

  async #start() {
    this.#drop();
    const run = ++this.#run;
    const address = resolve(this.url, document.baseURI);
    if ('code' in address) {
      const language = fetched(this.lang);
      if (language) await language;
      if (run !== this.#run) return undefined;
      const say = words(this.lang);
      const instead = address.instead ? ` ${say('instead', address.instead)}` : '';
      return this.#fail(address.code, say(address.word, address.detail) + instead);
    }
    this.#engine = 'connecting';
    // Safari allows playback only if this call is inside the handler of the viewer's click.
    if (navigator.userActivation?.isActive !== false && !this.#video.src) this.#video.load();
    /** @type {typeof import('./engine/player.js')} */ let module;
    try {
      module = await import('./engine/player.js').catch(() => import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ again()));
    } catch (error) {
      misses++;
      return run === this.#run ? this.#fail('engine', sentence(this.lang, 'engine', String(error))) : undefined;
    }
    if (run !== this.#run) return undefined;
    const base = this.getAttribute('base') ?? SrsPlayerElement.base;
    const player = new module.Player(this.#video, { ...options(this), ...(base && { base }) });
    this.#player = player;
    /** @type {<T>(type: string, take: (detail: T) => void) => void} */
    const on = (type, take) => player.addEventListener(type, (event) => {
      if (run === this.#run) take(/** @type {CustomEvent} */ (event).detail);
    });
    on('state', (/** @type {{ state: PlayerState, code?: string, message?: string, word: string }} */ { state, code, message, word }) => {
      this.#engine = state;
      this.#reason = code ? sentence(this.lang, word, message) : '';
      if (state !== 'error') this.#show();
    });
    on('warning', (/** @type {PlayerError & { word: string }} */ { code, message, word }) => {
      if (code === 'autoplay-blocked') return this.#refused(new DOMException(message, 'NotAllowedError'));
      message = sentence(this.lang, word, message);
      if (/-unsupported$/.test(code)) this.#skin.notice(message);
      this.dispatchEvent(new CustomEvent('warning', { detail: { code, message } }));
    });
    on('error', (/** @type {PlayerError & { said: string, word: string }} */ { code, message, said, word }) => this.#fail(code, said || sentence(this.lang, word, message)));
    on('stats', (detail) => {
      this.#skin.render();
      this.dispatchEvent(new CustomEvent('stats', { detail }));
    });
    player.load(address.url);
    return player.play().catch((error) => this.#refused(error));
  }

  /** Handles a changed address or protocol. */
  #changed() {
    if (!this.isConnected && !this.#player) return;
    if (!this.#player) this.#video.removeAttribute('src');
    const wanted = this.#wanted || this.hasAttribute('autoplay');
    this.#stop();
    // Several attributes may change in the same task.
    if (wanted && this.url) {
      const run = this.#run;
      queueMicrotask(() => { if (run === this.#run) this.play().catch(() => {}); });
    }
  }

  /** Destroys the engine. */
  #drop() {
    this.#run++;
    this.#player?.destroy();
    this.#player = null;
    this.#engine = null;
    this.#error = null;
    this.#reason = '';
  }

  #stop() {
    this.#drop();
    this.#wanted = false;
    this.#settle(abort('stopped'));
    this.#show();
  }

  /** Handles an event of the `<video>`. @param {string} type */
  #follow(type) {
    const video = this.#video;
    if (type === 'playing') this.#settle();
    if (type === 'play') this.#wanted = true;
    // Ignore the pause event of a source that is being replaced or has ended.
    if (type === 'pause' && video.readyState > 0 && !video.ended && this.#engine === 'live') this.#wanted = false;
    if (type === 'resize') this.#layout();
    if (type === 'volumechange' && !video.muted) this.#soundBlocked = false;
    if (type !== 'timeupdate' && type !== 'progress') this.#show();
  }

  /** Handles a refusal of the browser to play: plays muted, which is nearly always allowed. @param {DOMException} error */
  #refused(error) {
    if (error.name !== 'NotAllowedError') return error.name === 'AbortError' ? undefined : this.#settle(error);
    if (!this.#video.muted) {
      this.#video.muted = true;
      this.#soundBlocked = true;
      this.dispatchEvent(new Event('soundblocked'));
      this.#player?.play().catch((again) => this.#refused(again));
      return this.#skin.render();
    }
    this.#wanted = false;
    this.#settle(error);
    return this.#show();
  }

  /** @param {string} code @param {string} message in the viewer's language */
  #fail(code, message) {
    this.#player?.destroy();
    this.#player = null;
    this.#run++;
    this.#engine = 'error';
    this.#error = { code, message };
    this.#wanted = false;
    this.#settle(new DOMException(message, 'NotSupportedError'));
    this.#show();
    this.dispatchEvent(new Event('error'));
  }

  /** Settles the promise of play(). @param {unknown} [why] the reason for its rejection */
  #settle(why) {
    if (why) this.#answer?.reject(why);
    else this.#answer?.resolve();
    this.#answer = null;
  }

  /** Computes the state, and reports a change. */
  #show() {
    const engine = this.#engine;
    /** @type {PlayerState} */
    let state = engine ?? 'idle';
    if (engine && engine !== 'error' && engine !== 'ended' && !this.#wanted) state = 'paused';
    if (state !== this.#state) {
      this.#state = state;
      mark(this, this.#internals, state, state === 'error' ? this.#error?.code ?? '' : undefined);
      this.dispatchEvent(new CustomEvent('statechange', { detail: { state, reason: this.#reason } }));
      this.#extensions.show();
    }
    this.#extensions.present();
    this.#skin.render();
  }

  /** @param {ShadowRoot} root */
  #dress(root) {
    this.#sheet = newSheet(root.ownerDocument, '');
    if (this.#sheet) root.adoptedStyleSheets.push(this.#sheet);
    this.#layout();
  }

  #layout() {
    this.#sheet?.replaceSync(sizeOf(this, this.#video));
  }
}

forward(SrsPlayerElement.prototype);
reflect(SrsPlayerElement.prototype, TEXTS, SWITCHES, NUMBERS);
