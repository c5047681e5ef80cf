// The part of the engine on the page's main thread: one Player drives one <video>.
//
// The work (network, demux, remux, MediaSource) is done by a pipeline: in a Worker if the browser supports MediaSource
// there, else on this thread. Everything that needs the <video> is here: play, rate, seeks.

import { HOME } from '../../net/home.js';
import { Tokens } from '../../net/token-ask.js';
import { isNative } from './formats.js';
import { MediaElement } from './media-element.js';
import { choose, openSource } from './open-source.js';
import { watchPage } from './page.js';
import { own, said, sentence, word } from './sentences.js';

/**
 * @typedef {import('../../types/attributes.js').Latency} Latency
 * @typedef {import('../../types/attributes.js').Protocol} Protocol
 * @typedef {import('../../types/index.js').Stats} Stats
 * @typedef {import('./sources/messages.js').State} State
 * @typedef {import('./open-source.js').Source} Source
 * @typedef {import('../../types/index.js').PlayerOptions} PlayerOptions
 */

/**
 * Plays one live stream, or file, in a `<video>`.
 *
 * Events: `state` (detail `{state, code?, message?}`), `warning` (`{code, message}`), `error`
 * (`{code, message, fatal}`), `stats` (a {@link Stats}, once a second).
 */
export class Player extends EventTarget {
  /** @type {HTMLVideoElement} */ #video;
  /** @type {MediaElement} */ #element;
  /** @type {Required<PlayerOptions>} */ #options;
  /** @type {Source | null} */ #pipeline = null;
  /** Whether the browser plays the address without the engine. */
  #native = false;
  /** Resolves to the pipeline when it is loaded. @type {Promise<Source> | null} */ #opening = null;
  /** The number of the current load. Answers to earlier loads are ignored. */
  #load = 0;
  /** @type {State} */ #state = 'idle';
  /** The state of the connection. It is the player's state unless it is `live`. @type {State} */ #connection = 'idle';
  #wanted = false;
  /** Whether the page is in the back/forward cache; the player connects again when the page is shown. */
  #away = false;
  #stalls = 0;
  #timer = 0;
  #abort = new AbortController();
  /** @type {import('./sources/messages.js').Figures} */ #figures = {};
  #tokens = new Tokens();
  #url = '';
  /** Other addresses of the same stream. They are tried when the current address fails. @type {string[]} */ #spare = [];

  /**
   * @param {HTMLVideoElement} video
   * @param {PlayerOptions} [options]
   */
  constructor(video, options = {}) {
    super();
    this.#video = video;
    this.#element = new MediaElement(video, this.#abort.signal);
    this.#options = {
      latency: 'low', retry: Infinity, protocol: 'auto', loop: false, token: '', base: HOME, worker: true, trace: false, ...options,
    };
    const signal = this.#abort.signal;
    const on = (/** @type {string} */ type, /** @type {(event: Event) => void} */ listener) =>
      video.addEventListener(type, listener, { signal });
    on('play', () => { if (!this.#element.ours) this.#resume(); });
    on('pause', () => { if (!this.#element.ours && !video.ended) this.#wanted = false; this.#clock(); });
    on('waiting', () => this.#update());
    for (const type of ['playing', 'canplay', 'loadeddata', 'emptied', 'ended']) on(type, () => this.#update());
    on('seeking', () => {
      if (!this.#element.seeking()) return;
      this.#pipeline?.post({ type: 'sought', time: video.currentTime });
      this.#clock();
    });
    for (const type of ['seeked', 'timeupdate', 'ratechange']) on(type, () => this.#clock());
    on('error', () => this.#mediaError());
    watchPage(signal, { shown: () => this.#clock(), leave: () => this.#leave(), back: () => this.#back(), blocked: () => this.#blocked() });
  }

  /** @returns {State} */
  get state() { return this.#state; }

  /** @returns {Latency} */
  get latency() { return this.#options.latency; }
  set latency(latency) {
    this.#options.latency = latency;
    this.#pipeline?.post({ type: 'latency', latency });
  }

  get loop() { return this.#options.loop; }
  set loop(loop) {
    this.#options.loop = loop;
    this.#video.loop = loop && this.#native;
  }

  /** The token. A new value is used from the next attempt to connect. @returns {import('../../net/token-ask.js').Token} */
  get token() { return this.#options.token; }
  set token(token) { this.#options.token = token; }

  /** @returns {Stats} */
  get stats() {
    return {
      latency: 0, bitrate: 0, fps: 0, protocol: '', codecs: '', reconnects: 0, target: 0,
      ...this.#figures,
      ...this.#element.figures(this.#figures),
      stalls: this.#stalls,
    };
  }

  /**
   * Starts to load an address, and ends the stream before it. Playback starts when {@link play} was called, or is
   * called later.
   * @param {string} url
   */
  load(url) {
    this.#spare = [];
    this.#url = url;
    this.#open(url, this.#options.protocol);
  }

  /** @param {string} url @param {Protocol | import('./sources/messages.js').Kind} protocol */
  #open(url, protocol) {
    this.#unload();
    const load = ++this.#load;
    this.#figures = {};
    this.#stalls = 0;
    const chosen = choose(url, protocol);
    if (!chosen.kind) return this.#fail(chosen.code, chosen.message);
    this.#connect('connecting');
    this.#timer = window.setInterval(() => this.#clock(), 100);
    const receive = (/** @type {import('./sources/messages.js').FromSource} */ message) => { if (load === this.#load) this.#receive(message); };
    this.#native = isNative(chosen.kind);
    this.loop = this.#options.loop;
    const opening = this.#opening = openSource(this.#video, this.#options, { ...chosen, protocol, token: this.#token }, receive);
    opening.then((pipeline) => {
      if (load !== this.#load) return pipeline.close();
      this.#pipeline = pipeline;
      pipeline.start?.();
      // The option may have changed while the pipeline was opened.
      this.latency = this.#options.latency;
      this.#clock();
    }, (error) => { if (load === this.#load) this.#fail('engine', String(error)); });
  }

  /**
   * Plays, from the live edge after a pause. Rejects as `HTMLMediaElement.play()` does.
   * @returns {Promise<void>}
   */
  async play() {
    if (this.#video.paused || !this.#wanted) this.#resume();
    if (this.#element.attached) await this.#video.play();
  }

  /** Moves the playhead to the live edge. */
  goLive() {
    const { seekable, duration } = this.#video;
    if (this.#native && duration === Infinity && seekable.length) this.#video.currentTime = seekable.end(seekable.length - 1);
    this.#pipeline?.post({ type: 'live' });
  }

  /** Pauses. The connection stays open for a while, so that playback can resume quickly. */
  pause() {
    this.#wanted = false;
    this.#video.pause();
    this.#clock();
  }

  /** Closes the connection and removes all listeners. The player cannot be used again. */
  destroy() {
    this.#load++;
    this.#unload();
    this.#abort.abort();
    this.#connect('idle');
  }

  /** Disconnects because the page enters the back/forward cache, and connects again later. A recording stays loaded, because its position would be lost. */
  #leave() {
    const { duration } = this.#video;
    if (!this.#opening || this.#native || this.#connection === 'error' || (duration > 0 && duration < Infinity)) return;
    this.#away = true;
    this.#load++;
    this.#unload();
    this.#connect('connecting');
  }

  #back() {
    if (!this.#away) return;
    this.#away = false;
    this.load(this.#url);
  }

  #blocked() {
    if (!this.#pipeline || this.#native) return;
    // An error event of the <video> follows. It must not count as an error of the stream.
    this.#load++;
    this.#unload();
    this.#fail('csp', `${sentence('csp')} media-src blob:`);
  }

  #unload() {
    window.clearInterval(this.#timer);
    const had = this.#pipeline;
    had?.close();
    this.#pipeline = this.#opening = null;
    this.#native = false;
    this.#element.release(!!had);
  }

  #resume() {
    this.#wanted = true;
    this.#pipeline?.post({ type: 'resume' });
    this.#clock();
  }

  #start() {
    this.#video.play().catch((error) => {
      if (error.name === 'NotAllowedError') this.#warn('autoplay-blocked');
    });
  }

  /** @param {import('./sources/messages.js').FromSource} message */
  #receive(message) {
    if (message.state === 'live') this.#spare = [];
    // The address does not work, or a firewall or proxy blocks it.
    if (this.#spare.length && !message.own && /^(engine|http|no-mse|stalled|unsupported-format)$/.test(message.code ?? '')) return this.#next();
    switch (message.type) {
      // If the browser cannot play this kind, `#open` reports the error.
      case 'other': return this.#open(this.#url, message.kind);
      case 'instead':
        this.#spare = message.urls;
        return this.#next();
      case 'attach':
        this.#element.attach(message.handle, message.managed, () => {
          if (!this.#wanted && !this.#video.autoplay) return;
          this.#wanted = true;
          this.#start();
        });
        break;
      case 'source':
        this.#element.attached = true;
        if (this.#wanted) this.#start();
        break;
      case 'token': this.#give(message); break;
      case 'rate': this.#element.setRate(message.rate); break;
      case 'seek':
        this.#element.seek(message.time);
        this.#clock();
        break;
      case 'state': this.#connect(message.state, message.code, message.message); break;
      case 'warning': this.#warn(message.code, message.message, message.word); break;
      case 'error': this.#fail(message.code, message.message, message.word); break;
      case 'stats':
        this.#figures = message.stats;
        this.dispatchEvent(new CustomEvent('stats', { detail: this.stats }));
        break;
      case 'trace': this.dispatchEvent(new CustomEvent('trace', { detail: message })); break;
    }
  }

  /** Returns the function that gets a token; none if the page has given no token. */
  get #token() {
    return this.#options.token ? (unspent = false) => this.#tokens.take(this.#options.token, unspent) : undefined;
  }

  /** Answers the pipeline's request for a token: a Worker cannot call a function of the page. @param {{ id: number, unspent: boolean }} question */
  #give({ id, unspent }) {
    const opening = this.#opening;
    const post = (/** @type {import('./sources/messages.js').TokenResult} */ message) => opening?.then((pipeline) => pipeline.post({ type: 'token', id, ...message }));
    this.#tokens.take(this.#options.token, unspent).then(
      (token) => post({ token }),
      ({ code, detail, fatal }) => post({ error: { code, detail, fatal, own: true } }),
    );
  }

  #next() {
    this.#open(/** @type {string} */ (this.#spare.shift()), 'auto');
  }

  #mediaError() {
    const error = this.#video.error;
    if (!error || this.#native || !this.#pipeline) return;
    this.#warn('media-error', error.message);
    this.#pipeline.post({ type: 'rebuild', text: error.message });
  }

  /** Sends the state of the playhead to the pipeline. */
  #clock() {
    this.#pipeline?.post({ type: 'clock', ...this.#element.clock() });
    this.#update();
  }

  /** @param {State} state @param {string} [code] @param {string} [message] */
  #connect(state, code, message) {
    this.#connection = state;
    this.#update(code, message);
  }

  /** @param {string} [code] @param {string} [message] @returns {void} */
  #update(code, message) {
    const state = this.#element.state(this.#connection, this.#state);
    // At the end, a MediaSource no longer has the beginning of the stream.
    if (state === 'ended' && this.#options.loop && this.#wanted && !this.#native) return this.load(this.#url);
    if (state === this.#state && !code) return;
    if (state === 'buffering' && this.#state === 'live' && !this.#video.seeking && !this.#video.paused) {
      this.#stalls++;
      this.#pipeline?.post({ type: 'stalled' });
    }
    this.#state = state;
    const detail = { state, code, message: code && said(code, message), word: word(code ?? '', message) };
    this.dispatchEvent(new CustomEvent('state', { detail }));
  }

  /** @param {string} code @param {string} [message] @param {string} [name] the name of the sentence, for translators */
  #warn(code, message, name = code) {
    this.dispatchEvent(new CustomEvent('warning', { detail: { code, message: said(code, message), word: name } }));
  }

  /** @param {string} code @param {string} [message] @param {string} [name] the name of the sentence, for translators */
  #fail(code, message, name = word(code, message)) {
    this.#connect('error', code, message);
    const detail = { code, message: said(code, message), said: own(code, message), word: name, fatal: true };
    this.dispatchEvent(new CustomEvent('error', { detail }));
  }
}
