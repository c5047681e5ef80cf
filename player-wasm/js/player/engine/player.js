// The engine's face on the page's main thread: one Player drives one <video>.
//
// The work (network, demux, remux, MediaSource) is a pipeline in a Worker where the browser can hold a
// MediaSource there, else on this thread. What must touch the element stays here: play, rate, seeks.

import { isGstreamerWebKit } from '../../net/browser.js';
import { isFlv, isNative, kindOf, sentence } from './formats.js';
import { HOME } from '../../net/home.js';
import { Tokens } from '../../net/token-ask.js';

/**
 * @typedef {import('../../types/attributes.js').Latency} Latency
 * @typedef {import('../../types/attributes.js').Protocol} Protocol
 * @typedef {import('./sources/messages.js').State} State
 *
 * @typedef {object} PlayerOptions
 * @property {Latency} [latency]   how far behind live; default `low`
 * @property {number} [retry]      attempts to reconnect before giving up; default for ever
 * @property {Protocol} [protocol] default: by the address
 * @property {boolean} [loop]      a file begins again at its end
 * @property {import('../../net/token-ask.js').Token} [token] what shows the server that one may play, or gives it; asked anew for every attempt
 * @property {string} [base]       folder of worker.js and the wasm; default: beside this module
 * @property {boolean} [worker]    false keeps everything on the main thread
 * @property {boolean} [trace]     reports every video frame's arrival as a `trace` event (for measuring)
 *
 * @typedef {object} Stats
 * @property {number} latency   seconds between the newest playable moment and the playhead
 * @property {number} buffer    seconds of media ahead of the playhead
 * @property {number} bitrate   bits per second received
 * @property {number} fps       video frames received per second
 * @property {number} dropped   video frames the browser decoded too late to show
 * @property {number} decoded   video frames decoded
 * @property {string} protocol  `webrtc`, `http-flv`, `ws-flv`, `hls`, `http-ts`, `native`
 * @property {number} width     of the picture
 * @property {number} height    of the picture
 * @property {string} codecs    RFC 6381, separated by a comma
 * @property {boolean} [behind] the viewer chose to be behind live
 * @property {number} rate      playback rate that latency control has set
 * @property {number} reconnects connections made after the first
 * @property {number} target    seconds behind live that latency control aims at
 * @property {number} stalls    times playback ran out of media
 * @property {number} [rtt]     of WebRTC only, as the following: seconds to the server and back
 * @property {number} [jitter]  seconds by which packets come unevenly
 * @property {number} [loss]    part of the last second's packets that did not come, 0 to 1
 * @property {number} [packetsLost]
 * @property {number} [nackCount]  packets asked for again
 * @property {number} [freezeCount]  times the picture stood still
 */

/**
 * What brings a stream to the element.
 * @typedef {object} Source
 * @property {() => void} [start]
 * @property {(message: import('./sources/messages.js').ToSource) => void} post
 * @property {() => void} close
 */

/** Milliseconds on a clock that the page and its workers share. */
const now = () => performance.timeOrigin + performance.now();

/**
 * Plays one live stream, or file, in a `<video>`.
 *
 * Events: `state` (detail `{state, code?, message?}`), `warning` (`{code, message}`), `error`
 * (`{code, message, fatal}`), `stats` (a {@link Stats}, once a second).
 */
export class Player extends EventTarget {
  /** @type {HTMLVideoElement} */ #video;
  /** @type {Required<PlayerOptions>} */ #options;
  /** @type {Source | null} */ #pipeline = null;
  /** The browser plays the address itself. */
  #native = false;
  /** The pipeline, when it is there. @type {Promise<Source> | null} */ #opening = null;
  /** Counts loads: answers to an older one are ignored. */
  #load = 0;
  /** @type {State} */ #state = 'idle';
  /** What the connection says: the state whenever it is not simply `live`. @type {State} */ #connection = 'idle';
  #wanted = false;
  #attached = false;
  /** The page is in the back/forward cache, and this will connect again when it is shown. */
  #away = false;
  /** A pause or play that is ours, not the viewer's. */
  #ours = false;
  /** Where we sent the playhead last. */
  #sent = NaN;
  /** The last seek was ours. */
  #own = true;
  #rate = 1;
  #stalls = 0;
  #timer = 0;
  #abort = new AbortController();
  /** @type {import('./sources/messages.js').Figures} */ #figures = {};
  #tokens = new Tokens();
  #url = '';
  /** Other addresses of the same stream, to try if this one does not work. @type {string[]} */ #spare = [];

  /**
   * @param {HTMLVideoElement} video
   * @param {PlayerOptions} [options]
   */
  constructor(video, options = {}) {
    super();
    this.#video = video;
    this.#options = {
      latency: 'low', retry: Infinity, protocol: 'auto', loop: false, token: '', base: HOME, worker: true, trace: false, ...options,
    };
    const signal = this.#abort.signal;
    const on = (/** @type {string} */ type, /** @type {(event: Event) => void} */ listener) =>
      video.addEventListener(type, listener, { signal });
    on('play', () => { if (!this.#ours) this.#resume(); });
    on('pause', () => { if (!this.#ours && !video.ended) this.#wanted = false; this.#clock(); });
    on('waiting', () => this.#update());
    for (const type of ['playing', 'canplay', 'loadeddata', 'emptied', 'ended']) on(type, () => this.#update());
    on('seeking', () => {
      this.#own = Math.abs(video.currentTime - this.#sent) < 0.002;
      if (this.#own) return;
      this.#pipeline?.post({ type: 'sought', time: video.currentTime });
      this.#clock();
    });
    // Another seek of ours may be under way already.
    on('seeked', () => { if (!video.seeking) this.#sent = NaN; });
    for (const type of ['seeked', 'timeupdate', 'ratechange']) on(type, () => this.#clock());
    on('error', () => this.#mediaError());
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
      if (!this.#pipeline || this.#native || !/^media-src/.test(effectiveDirective) || !/^blob/.test(blockedURI)) return;
      // The element's own error follows, and would be taken for one of the stream.
      this.#load++;
      this.#unload();
      this.#fail('csp', `${sentence('csp')} media-src blob:`);
    }, { signal });
    document.addEventListener('visibilitychange', () => this.#clock(), { signal });
    // A page in the back/forward cache keeps no connection.
    addEventListener('pagehide', ({ persisted }) => persisted && this.#leave(), { signal });
    addEventListener('pageshow', ({ persisted }) => {
      if (!persisted || !this.#away) return;
      this.#away = false;
      this.load(this.#url);
    }, { signal });
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

  /** Counts from the next attempt to connect. @returns {import('../../net/token-ask.js').Token} */
  get token() { return this.#options.token; }
  set token(token) { this.#options.token = token; }

  /** @returns {Stats} */
  get stats() {
    const video = this.#video;
    const quality = video.getVideoPlaybackQuality?.();
    const { buffered, currentTime } = video;
    const end = buffered.length ? buffered.end(buffered.length - 1) : currentTime;
    return {
      latency: 0, bitrate: 0, fps: 0, protocol: '', codecs: '', reconnects: 0, target: 0,
      ...this.#figures,
      buffer: Math.max(0, end - currentTime),
      // Firefox does not count what comes by WebRTC.
      dropped: quality?.droppedVideoFrames || this.#figures.dropped || 0,
      decoded: quality?.totalVideoFrames || this.#figures.decoded || 0,
      width: video.videoWidth,
      height: video.videoHeight,
      rate: this.#rate,
      stalls: this.#stalls,
    };
  }

  /**
   * Begins to load an address; what played before ends. It starts to show when {@link play} was or is called.
   * @param {string} url
   */
  load(url) {
    this.#spare = [];
    this.#url = url;
    this.#open(url, this.#options.protocol);
  }

  /** @param {string} url @param {Protocol} protocol */
  #open(url, protocol) {
    this.#unload();
    const load = ++this.#load;
    this.#figures = {};
    this.#stalls = 0;
    let address;
    try {
      address = new URL(url, document.baseURI);
    } catch {
      return this.#fail('bad-url');
    }
    // Browsers fetch nothing from such an address.
    if (address.username || address.password) return this.#fail('bad-url', sentence('credentials'));
    const kind = kindOf(address, protocol);
    if (!kind) return this.#fail('unsupported-protocol');
    this.#connect('connecting');
    this.#timer = window.setInterval(() => this.#clock(), 100);
    const receive = (/** @type {import('./sources/messages.js').FromSource} */ message) => { if (load === this.#load) this.#receive(message); };
    this.#native = isNative(kind);
    this.loop = this.#options.loop;
    const { latency, retry, trace, base } = this.#options;
    const rates = !isGstreamerWebKit();
    const native = protocol === 'auto' && !!this.#video.canPlayType('application/vnd.apple.mpegurl');
    const request = { url: address.href, kind, protocol, latency, retry, trace, base, rates, native, token: this.#token };
    const opening = this.#opening = this.#native
      ? import('./sources/native.js').then(({ NativeSource }) => new NativeSource(this.#video, request, receive))
      : openSource(this.#options, request, receive);
    opening.then((pipeline) => {
      if (load !== this.#load) return pipeline.close();
      this.#pipeline = pipeline;
      pipeline.start?.();
      // It may have changed meanwhile.
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
    if (this.#attached) await this.#video.play();
  }

  /** Goes to the newest there is. */
  goLive() {
    const { seekable, duration } = this.#video;
    if (this.#native && duration === Infinity && seekable.length) this.#video.currentTime = seekable.end(seekable.length - 1);
    this.#pipeline?.post({ type: 'live' });
  }

  /** Pauses; the connection stays for a while, so that going on is quick. */
  pause() {
    this.#wanted = false;
    this.#video.pause();
    this.#clock();
  }

  /** Ends everything. The player cannot be used again. */
  destroy() {
    this.#load++;
    this.#unload();
    this.#abort.abort();
    this.#connect('idle');
  }

  /** Ends the connection, but not the wish to play. A recording stays as it is: its place would be lost. */
  #leave() {
    const { duration } = this.#video;
    if (!this.#opening || this.#native || this.#connection === 'error' || (duration > 0 && duration < Infinity)) return;
    this.#away = true;
    this.#load++;
    this.#unload();
    this.#connect('connecting');
  }

  #unload() {
    window.clearInterval(this.#timer);
    const video = this.#video;
    const had = this.#pipeline;
    had?.close();
    this.#pipeline = this.#opening = null;
    this.#native = false;
    this.#attached = false;
    this.#rate = 1;
    if (!had) return;
    this.#quietly(() => {
      video.playbackRate = 1;
      video.srcObject = null;
      video.removeAttribute('src');
      video.load();
    });
  }

  /** Does what makes the element fire `pause` without taking it as the viewer's wish. @param {() => void} work */
  #quietly(work) {
    this.#ours = true;
    work();
    // The element queues its events as tasks; this runs after them.
    setTimeout(() => { this.#ours = false; });
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
    const video = this.#video;
    if (message.state === 'live') this.#spare = [];
    // Of no use, or held back by something on the way.
    if (this.#spare.length && !message.own && /^(engine|http|no-mse|stalled|unsupported-format)$/.test(message.code ?? '')) return this.#next();
    switch (message.type) {
      // Fails by itself where the browser cannot.
      case 'other': return this.#open(this.#url, message.kind);
      case 'instead':
        this.#spare = message.urls;
        return this.#next();
      case 'attach': this.#attach(message.handle, message.managed); break;
      case 'source':
        this.#attached = true;
        if (this.#wanted) this.#start();
        break;
      case 'token': this.#give(message); break;
      case 'rate':
        this.#rate = message.rate;
        video.preservesPitch = true;
        if (video.playbackRate !== message.rate) video.playbackRate = message.rate;
        break;
      case 'seek':
        video.currentTime = message.time;
        // The browser moves it into what can be sought, which on a busy page may end earlier than the pipeline knows.
        this.#sent = video.currentTime;
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

  /** How to get what shows the server that we may; none: nothing does. */
  get #token() {
    return this.#options.token ? (unspent = false) => this.#tokens.take(this.#options.token, unspent) : undefined;
  }

  /** The pipeline asks for a token: a Worker has no hold of the page's function. @param {{ id: number, unspent: boolean }} question */
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

  /**
   * Shows a MediaSource, the first one or one that replaces a broken one.
   * @param {import('./sources/messages.js').Media} source  a MediaSourceHandle, a MediaSource of this thread, or a MediaStream
   * @param {boolean} [managed]
   */
  #attach(source, managed) {
    const video = this.#video;
    this.#attached = true;
    this.#quietly(() => {
      if (managed) video.disableRemotePlayback = true;
      try {
        video.srcObject = /** @type {MediaProvider} */ (source);
      } catch {
        // Only handles and streams here: an older browser's MediaSource goes by an object URL.
        const url = URL.createObjectURL(/** @type {MediaSource} */ (source));
        video.src = url;
        /** @type {MediaSource} */ (source).addEventListener('sourceopen', () => URL.revokeObjectURL(url), { once: true });
      }
      if (this.#rate !== 1) video.playbackRate = this.#rate;
      if (this.#wanted || video.autoplay) {
        this.#wanted = true;
        this.#start();
      }
    });
  }

  #mediaError() {
    const error = this.#video.error;
    if (!error || this.#native || !this.#pipeline) return;
    this.#warn('media-error', error.message);
    this.#pipeline.post({ type: 'rebuild', text: error.message });
  }

  /** Tells the pipeline where the playhead is. */
  #clock() {
    const video = this.#video;
    this.#pipeline?.post({
      type: 'clock',
      at: now(),
      time: video.currentTime,
      rate: video.playbackRate,
      paused: video.paused,
      seeking: video.seeking,
      starved: video.readyState < 3,
      hidden: video.ownerDocument.hidden,
    });
    this.#update();
  }

  /** @param {State} state @param {string} [code] @param {string} [message] */
  #connect(state, code, message) {
    this.#connection = state;
    this.#update(code, message);
  }

  /** @param {string} [code] @param {string} [message] @returns {void} */
  #update(code, message) {
    const { readyState, seeking, paused, ended } = this.#video;
    let state = this.#connection;
    if (state === 'live' && ended) state = 'ended';
    // Of what a MediaSource shows the beginning is gone at the end.
    if (state === 'ended' && this.#options.loop && this.#wanted && !this.#native) return this.load(this.#url);
    // A jump of ours to live is no buffering.
    if (state === 'live' && readyState < 3 && !(seeking && this.#own && this.#state === 'live')) state = 'buffering';
    if (state === this.#state && !code) return;
    if (state === 'buffering' && this.#state === 'live' && !seeking && !paused) {
      this.#stalls++;
      this.#pipeline?.post({ type: 'stalled' });
    }
    this.#state = state;
    const detail = { state, code, message: code && said(code, message), word: word(code ?? '', message) };
    this.dispatchEvent(new CustomEvent('state', { detail }));
  }

  /** @param {string} code @param {string} [message] @param {string} [name] of the sentence */
  #warn(code, message, name = code) {
    this.dispatchEvent(new CustomEvent('warning', { detail: { code, message: said(code, message), word: name } }));
  }

  /** @param {string} code @param {string} [message] @param {string} [name] of the sentence */
  #fail(code, message, name = word(code, message)) {
    this.#connect('error', code, message);
    // A refusal that has words has them from the page.
    const own = code === 'forbidden' && sentence(message ?? '') === message ? message : '';
    const detail = { code, message: said(code, message), said: own, word: name, fatal: true };
    this.dispatchEvent(new CustomEvent('error', { detail }));
  }
}

/** Which of the sentences is meant. @param {string} code @param {string} [more] */
const word = (code, more) => (more && sentence(more) !== more ? more : code);

/** The sentence for a failure: its own, or that of its code. @param {string} code @param {string} [more] */
const said = (code, more) => (/^HTTP/.test(more ?? '') ? `${sentence(code)} (${more})` : sentence(more || code));

/** Whether a MediaSource can live in a Worker here. */
function workerCan() {
  const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
  return typeof Worker === 'function' && !!Source?.canConstructInDedicatedWorker;
}

/**
 * Starts what brings a stream that the browser does not play by itself.
 * @param {{ base: string, worker: boolean }} options of the player
 * @param {import('./sources/messages.js').Request} request
 * @param {import('./sources/messages.js').Report} receive
 * @returns {Promise<Source>}
 */
async function openSource(options, request, receive) {
  if (request.kind === 'webrtc') {
    const { Rtc } = await import('./sources/webrtc/rtc.js');
    return new Rtc(request, receive);
  }
  // Compiled here while the worker starts.
  const flv = isFlv(request.kind);
  const base = options.base && new URL(options.base, document.baseURI);
  // Written out: bundlers look for exactly this.
  const wasm = base ? new URL(flv ? 'player_wasm_bg.wasm' : 'player_ts_bg.wasm', base)
    : flv ? new URL('../../player_wasm_bg.wasm', import.meta.url) : new URL('../../player_ts_bg.wasm', import.meta.url);
  const load = /** @type {import('./sources/messages.js').Load} */ ({ ...request, type: 'load', token: !!request.token, wasm: wasm.href });
  const compile = () => WebAssembly.compileStreaming(fetch(wasm)).catch((error) => {
    // Forbidden by the page's policy: a worker has one of its own.
    if (error instanceof WebAssembly.CompileError) return undefined;
    // Some bundlers and hosts leave files out that are not scripts.
    return (flv ? import('../../flv-inline.js') : import('../../ts-inline.js')).then(({ compile }) => compile()).catch(() => undefined);
  });
  const module = compile();
  if (options.worker && workerCan()) {
    try {
      const worker = await startWorker(options.base);
      worker.onmessage = ({ data }) => receive(data);
      // Nothing goes on after that.
      worker.onerror = (event) => {
        worker.terminate();
        receive({ type: 'error', code: 'engine', message: event.message });
      };
      worker.postMessage(load);
      module.then((module) => worker.postMessage({ type: 'module', module }));
      return {
        post: (message) => worker.postMessage(message),
        close: () => worker.terminate(),
      };
    } catch (error) {
      receive({ type: 'warning', code: 'no-worker', message: String(error) });
    }
  }
  const { Pipeline } = await import('./pipeline.js');
  const pipeline = new Pipeline(receive);
  pipeline.receive(load);
  pipeline.receive({ type: 'module', module: await module });
  return { post: (message) => pipeline.receive(message), close: () => pipeline.close() };
}

/**
 * A running worker; rejects when it cannot start (a content security policy, a missing file).
 * @param {string} base
 * @returns {Promise<Worker>}
 */
function startWorker(base) {
  // Bundlers put a file: address in the place of import.meta.url: that says nothing about where the script is.
  const folder = new URL(base || import.meta.url, document.baseURI);
  let worker;
  let blob = '';
  if (/^http/.test(folder.protocol) && folder.origin !== location.origin) {
    // A worker's own script must come from the page's origin, but it may import from elsewhere. Where a bundler
    // has renamed the files it does not start: the page's own thread, then.
    const code = new Blob([`import ${JSON.stringify(new URL('worker.js', folder).href)};`], { type: 'text/javascript' });
    blob = URL.createObjectURL(code);
    worker = new Worker(blob, { type: 'module' });
  } else if (base) {
    worker = new Worker(new URL('worker.js', folder), { type: 'module' });
  } else {
    // Written out: bundlers look for exactly this.
    worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  }
  return new Promise((resolve, reject) => {
    worker.onmessage = () => {
      URL.revokeObjectURL(blob);
      resolve(worker);
    };
    worker.onerror = (event) => {
      worker.terminate();
      reject(new Error(event.message || 'the worker did not start'));
    };
  });
}

