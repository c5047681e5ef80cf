// <srs-player>: a <video> for live streams.
//
// It holds a real <video> in its shadow tree and speaks for it: the same properties, methods and events.
// The engine is fetched when something is to be played, never before.

import { resolve } from './address.js';
import { NUMBERS, OTHERS, OWN, SWITCHES, TEXTS } from './attributes.js';
import { fetched, words } from './texts.js';
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

/** What a browser plays by itself, and can fetch before it is played. */
const FILE = /\.(mp4|m4v|m4a|mov|webm|ogv|ogg|mp3)$/i;

/** Times the engine could not be fetched: browsers may remember that for an address. */
let misses = 0;
/** Another address of the same module. Bundlers must not look for it. */
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
  /** Counts what was begun: whoever awaits something and finds another number stops. */
  #run = 0;
  /** Whether it shall play, as the page or the viewer last said. */
  #wanted = false;
  /** What the engine says; null while there is none. @type {PlayerState | null} */
  #engine = null;
  /** @type {PlayerState} */
  #state = 'idle';
  #reason = '';
  /** @type {PlayerError | null} */
  #error = null;
  #soundBlocked = false;
  /** Captions, and how many watch. @type {Promise<import('./extras.js').Extras> | null} */
  #extras = null;
  /** What the system shows of it. @type {typeof import('./media-session.js') | null} */
  #session = null;
  /** As given by the page: never written into it. @type {import('../net/token-ask.js').Token | null} */
  #token = null;
  /** Answers to play(). @type {{ promise: Promise<void>, resolve: () => void, reject: (why: unknown) => void } | null} */
  #answer = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    this.#video = document.createElement('video');
    this.#video.playsInline = true;
    this.#video.setAttribute('part', 'video');
    this.#video.tabIndex = -1;
    this.#skin = new Skin(/** @type {import('../types/index.js').SrsPlayerElement} */ (/** @type {unknown} */ (this)), this.#video, root);
    this.#dress(root);
    for (const type of MEDIA_EVENTS) {
      this.#video.addEventListener(type, () => {
        this.#follow(type);
        this.dispatchEvent(new Event(type));
      });
    }
  }

  connectedCallback() {
    // Properties that were set before the element was defined.
    for (const name of [...TEXTS, ...SWITCHES, ...NUMBERS, ...OWN, 'volume']) {
      if (!Object.hasOwn(this, name)) continue;
      const self = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (this));
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
    // Once the parser has set every attribute.
    queueMicrotask(() => {
      if (!this.isConnected || this.#player || !this.url) return;
      if (this.#wanted || this.hasAttribute('autoplay')) this.play().catch(() => {});
      else this.#preload();
    });
  }

  /** In another document (an iframe, a picture-in-picture window) its style sheets have to be made again. */
  adoptedCallback() {
    this.#skin.settle();
    this.#dress(/** @type {ShadowRoot} */ (this.shadowRoot));
    this.#skin.render();
    // Browsers empty a media element that moves to an iframe, and would not fill it again.
    if (!this.#player || this.#video.readyState > 0) return;
    if (this.#wanted) this.load();
    else this.#stop();
  }

  disconnectedCallback() {
    // Moved elsewhere in the page it goes on; gone, it lets go of everything but its wish to play.
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
    else if (name === 'width' || name === 'height' || name === 'ratio') this.#layout();
    else if (name === 'captions' || name === 'viewers' || name === 'danmaku') this.#more();
    else if (name === 'loop' && this.#player) this.#player.loop = value !== null;
    else if (name === 'latency') this.#player && (this.#player.latency = this.#options().latency);
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

  /** Why it is in its state, in the viewer's language; empty when there is nothing to say. */
  get reason() { return this.#reason; }

  get muted() { return this.#video.muted; }
  set muted(value) {
    this.#video.muted = Boolean(value);
    if (!value) this.#soundBlocked = false;
  }

  get defaultMuted() { return this.hasAttribute('muted'); }
  set defaultMuted(value) { this.toggleAttribute('muted', Boolean(value)); }

  /** Whether what is seen is the newest there is. */
  get live() {
    const stats = this.stats;
    return this.#state === 'live' && !!stats && this.#video.duration === Infinity && !stats.behind && stats.latency < Math.max(1, 5 * stats.target);
  }

  /** Ends what plays and begins anew, if it was to play. */
  load() {
    const wanted = this.#wanted || this.#state === 'error' || this.#state === 'ended';
    this.#stop();
    if (wanted || this.hasAttribute('autoplay')) this.play().catch(() => {});
  }

  /**
   * Plays; keeps its promise when pictures (or sound) come.
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

  /** Jumps to the newest there is, and plays. */
  goLive() {
    this.#player?.goLive();
    return this.play();
  }

  #options() {
    const latency = this.getAttribute('latency');
    const retry = this.getAttribute('retry');
    return {
      latency: /** @type {import('./engine/player.js').Latency} */ (/^(realtime|low|normal)$/.test(latency ?? '') ? latency : 'low'),
      protocol: /** @type {import('./engine/player.js').Protocol} */ (this.getAttribute('protocol') || 'auto'),
      retry: retry && Number(retry) >= 0 ? Number(retry) : Infinity,
      loop: this.hasAttribute('loop'),
      token: this.token,
    };
  }

  /** A file is fetched before it is played, if the page says so. What is live cannot be. */
  #preload() {
    const wish = this.getAttribute('preload');
    if (this.#state !== 'idle' || this.token || !/^(auto|metadata)?$/.test(wish ?? 'none')) return;
    const address = resolve(this.url, document.baseURI);
    if ('code' in address || !FILE.test(new URL(address.url).pathname)) return;
    this.#video.preload = wish === 'metadata' ? wish : 'auto';
    this.#video.src = address.url;
  }

  /** What only some pages want. */
  #more() {
    const playing = this.#wanted && !!this.#player;
    const captions = playing ? this.getAttribute('captions') ?? '' : '';
    const viewers = playing && this.hasAttribute('viewers') ? this.url : '';
    const room = playing ? this.getAttribute('danmaku') ?? '' : '';
    if (!this.#extras && !captions && !viewers && !room) return;
    this.#extras ??= import('./extras.js').then(({ Extras }) => new Extras(this.#video, {
      captions: () => this.#skin.render(),
      viewers: (count) => this.#skin.showViewers(count),
      failed: (code, message) => {
        this.dispatchEvent(new CustomEvent('warning', { detail: { code, message: this.#sentence(code, message) } }));
      },
    }));
    this.#extras.then((extras) => {
      if (playing || !this.url) void extras.captions(captions && new URL(captions, document.baseURI).href, words(this.lang)('captions'));
      extras.watch(viewers);
      extras.fly(room, this.url);
    }, () => { this.#extras = null; });
  }

  /** Another token: the next attempt to connect takes it. */
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
    // Within the viewer's click: later, Safari would no longer count it.
    if (navigator.userActivation?.isActive !== false && !this.#video.src) this.#video.load();
    /** @type {typeof import('./engine/player.js')} */ let module;
    try {
      module = await import('./engine/player.js').catch(() => import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ again()));
    } catch (error) {
      misses++;
      return run === this.#run ? this.#fail('engine', this.#sentence('engine', String(error))) : undefined;
    }
    if (run !== this.#run) return undefined;
    const base = this.getAttribute('base') ?? SrsPlayerElement.base;
    const player = new module.Player(this.#video, { ...this.#options(), ...(base && { base }) });
    this.#player = player;
    /** @type {<T>(type: string, take: (detail: T) => void) => void} */
    const on = (type, take) => player.addEventListener(type, (event) => {
      if (run === this.#run) take(/** @type {CustomEvent} */ (event).detail);
    });
    on('state', (/** @type {{ state: PlayerState, code?: string, message?: string, word: string }} */ { state, code, message, word }) => {
      this.#engine = state;
      this.#reason = code ? this.#sentence(word, message) : '';
      if (state !== 'error') this.#show();
    });
    on('warning', (/** @type {PlayerError & { word: string }} */ { code, message, word }) => {
      if (code === 'autoplay-blocked') return this.#refused(new DOMException(message, 'NotAllowedError'));
      message = this.#sentence(word, message);
      if (/-unsupported$/.test(code)) this.#skin.notice(message);
      this.dispatchEvent(new CustomEvent('warning', { detail: { code, message } }));
    });
    on('error', (/** @type {PlayerError & { said: string, word: string }} */ { code, message, said, word }) => this.#fail(code, said || this.#sentence(word, message)));
    on('stats', (detail) => {
      this.#skin.render();
      this.dispatchEvent(new CustomEvent('stats', { detail }));
    });
    player.load(address.url);
    return player.play().catch((error) => this.#refused(error));
  }

  /** The address or what it means has changed. */
  #changed() {
    if (!this.isConnected && !this.#player) return;
    if (!this.#player) this.#video.removeAttribute('src');
    const wanted = this.#wanted || this.hasAttribute('autoplay');
    this.#stop();
    // Several attributes may change in one go.
    if (wanted && this.url) {
      const run = this.#run;
      queueMicrotask(() => { if (run === this.#run) this.play().catch(() => {}); });
    }
  }

  /** Lets the engine go. */
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

  /** What the media element says. @param {string} type of its event */
  #follow(type) {
    const video = this.#video;
    if (type === 'playing') this.#settle();
    if (type === 'play') this.#wanted = true;
    // Not the pause of a source that is being replaced, or at an end.
    if (type === 'pause' && video.readyState > 0 && !video.ended && this.#engine === 'live') this.#wanted = false;
    if (type === 'resize') this.#layout();
    if (type === 'volumechange' && !video.muted) this.#soundBlocked = false;
    if (type !== 'timeupdate' && type !== 'progress') this.#show();
  }

  /** Playing was refused: without sound it is nearly always allowed. @param {DOMException} error */
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

  /** In the viewer's language if we have it, else as the engine put it. @param {string} code @param {string} [message] */
  #sentence(code, message = code) {
    const known = words(this.lang)(code);
    return code === 'engine' && known ? `${known} (${message})` : known || message;
  }

  /** Answers play(). @param {unknown} [why] it was not to be */
  #settle(why) {
    if (why) this.#answer?.reject(why);
    else this.#answer?.resolve();
    this.#answer = null;
  }

  /** Puts the state together, and tells it. */
  #show() {
    const engine = this.#engine;
    /** @type {PlayerState} */
    let state = engine ?? 'idle';
    if (engine && engine !== 'error' && engine !== 'ended' && !this.#wanted) state = 'paused';
    if (state !== this.#state) {
      this.#state = state;
      mark(this, this.#internals, state, state === 'error' ? this.#error?.code ?? '' : undefined);
      this.dispatchEvent(new CustomEvent('statechange', { detail: { state, reason: this.#reason } }));
      this.#more();
    }
    this.#present();
    this.#skin.render();
  }

  /** Tells the system what plays, once it is heard. */
  #present() {
    if (this.#session) return this.#session.present(/** @type {import('../types/index.js').SrsPlayerElement} */ (/** @type {unknown} */ (this)));
    if (this.#state !== 'live' || this.muted || !navigator.mediaSession) return undefined;
    import('./media-session.js').then((module) => {
      this.#session = module;
      module.present(/** @type {import('../types/index.js').SrsPlayerElement} */ (/** @type {unknown} */ (this)));
    }, () => {});
    return undefined;
  }

  /** @param {ShadowRoot} root */
  #dress(root) {
    this.#sheet = newSheet(root.ownerDocument, '');
    if (this.#sheet) root.adoptedStyleSheets.push(this.#sheet);
    this.#layout();
  }

  /** The size: width and height as on <video>, else the picture's own shape. */
  #layout() {
    const width = Number(this.getAttribute('width')) || 0;
    const height = Number(this.getAttribute('height')) || 0;
    const { videoWidth, videoHeight } = this.#video;
    const [, across, down] = /^\s*(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)\s*$/.exec(this.getAttribute('ratio') ?? '') ?? [];
    const ratio = Number(across) && Number(down) ? `${across}/${down}` : width && height ? `${width}/${height}` : videoWidth ? `${videoWidth}/${videoHeight}` : '16/9';
    const own = width ? `width:${width}px;` : height ? `width:auto;height:${height}px;` : '';
    this.#sheet?.replaceSync(`:host{${own}aspect-ratio:${ratio}}`);
  }
}

/** @param {string} why */
const abort = (why) => new DOMException(`play() was ${why}`, 'AbortError');

function pending() {
  let resolve = () => {};
  /** @type {(why: unknown) => void} */
  let reject = () => {};
  /** @type {Promise<void>} */
  const promise = new Promise((yes, no) => { resolve = yes; reject = no; });
  // A page that does not look at the promise finds the reason in `error` and `state`.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

forward(SrsPlayerElement.prototype);
reflect(SrsPlayerElement.prototype, TEXTS, SWITCHES, NUMBERS);
