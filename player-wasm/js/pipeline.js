// Network → wasm → MediaSource, in a Worker or on the main thread. Talks to the player by messages.
//
// in:  load, module, clock, latency, resume, stalled, rebuild, token
// out: attach, rate, seek, state, warning, error, stats, token (asks for one), trace (see player.js)

import init, { Engine } from './player_wasm.js';
import { Hls } from './hls.js';
import { Loader } from './loader.js';
import { Sink } from './sink.js';

const LATENCIES = ['realtime', 'low', 'normal'];
const PROTOCOLS = { flv: 'http-flv', 'ws-flv': 'ws-flv', hls: 'hls', ts: 'http-ts' };
const FORMATS = { flv: 0, 'ws-flv': 0, ts: 1, hls: 2 };
/** In the order of the engine's bits; an unusual profile may still turn out not to play. */
const CODECS = [
  ...['avc1.42e01e', 'hvc1.1.6.L93.B0', 'av01.0.04M.08', 'vp08.00.10.08', 'vp09.00.10.08']
    .map((codec) => `video/mp4; codecs="${codec}"`),
  ...['mp4a.40.2', 'opus', 'mp4a.6B'].map((codec) => `audio/mp4; codecs="${codec}"`),
];
/** A paused stream is let go after this many milliseconds. */
const PAUSE_LIMIT = 30_000;

const now = () => performance.timeOrigin + performance.now();

/** Runs one stream. */
export class Pipeline {
  #report;
  /** @type {any} */ #request = null;
  /** @type {(module: WebAssembly.Module | undefined) => void} */ #compiled = () => {};
  /** @type {Engine | null} */ #engine = null;
  /** @type {Sink | null} */ #sink = null;
  /** @type {Loader | Hls | null} */ #loader = null;
  #closed = false;
  #timer;
  /** The playhead, as the player told last. */
  #clock = { at: 0, time: 0, rate: 1, paused: true, seeking: false, starved: true, hidden: false };
  /** When it began to stand still, or to load. */
  #pausedAt = 0;
  #asleep = false;
  #live = false;
  #file = false;
  #rebuilds = 0;
  #bytes = 0;
  #counted = { at: 0, bytes: 0, frames: 0 };
  /** Who waits for a token: an answer that comes after its attempt is nobody's. */
  #asking = { id: 0, answer: (/** @type {any} */ message) => {} };

  /** @param {(message: any, transfer?: Transferable[]) => void} report */
  constructor(report) {
    this.#report = report;
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  /** @param {any} message */
  receive(message) {
    switch (message.type) {
      case 'load': this.#open(message); break;
      case 'module': this.#compiled(message.module); break;
      case 'clock':
        if (message.paused !== this.#clock.paused) this.#pausedAt = now();
        this.#clock = message;
        if (this.#loader) this.#loader.hidden = message.hidden;
        this.#safe(() => this.#pace());
        break;
      case 'latency':
        this.#request.latency = message.latency;
        this.#engine?.set_latency(LATENCIES.indexOf(message.latency));
        break;
      case 'resume': this.#resume(); break;
      case 'stalled': this.#engine?.stalled(now()); break;
      case 'rebuild': this.#rebuild(); break;
      case 'token': if (message.id === this.#asking.id) this.#asking.answer(message); break;
    }
  }

  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#loader?.close();
    this.#sink?.close();
    this.#engine?.free();
    this.#engine = null;
  }

  /** @param {any} request */
  #open(request) {
    this.#request = request;
    const { url, kind, latency, retry, wasm, token } = request;
    const Source = /** @type {any} */ (globalThis).ManagedMediaSource ?? globalThis.MediaSource;
    if (!Source) return this.#fail('no-mse');
    // The connection is opened while the wasm compiles; what comes first waits in it.
    const level = LATENCIES.indexOf(latency);
    const target = {
      data: (/** @type {Uint8Array} */ bytes) => this.#safe(() => this.#data(bytes)),
      state: (/** @type {string} */ state, code = '', own = false) => this.#state(state, code, own),
      reconnected: () => this.#safe(() => this.#engine?.reconnect()),
      file: () => {
        this.#file = true;
        this.#engine?.set_file();
      },
      flush: () => this.#safe(() => this.#engine?.flush(now())),
      discontinuity: () => this.#safe(() => this.#engine?.discontinuity(now())),
      room: () => this.#sink?.room() ?? Promise.resolve(),
      end: () => this.#safe(() => this.#end()),
      fail: (/** @type {string} */ code, /** @type {string} */ text = '') => this.#fail(code, text),
      token: token ? (unspent = false) => this.#token(unspent) : undefined,
    };
    const compiled = new Promise((resolve) => { this.#compiled = resolve; });
    const ready = compiled.then((module) => init({ module_or_path: module ?? wasm })).then(({ memory }) => {
      if (this.#closed) return;
      const codecs = CODECS.reduce((set, mime, n) => set | +Source.isTypeSupported(mime) << n, 0);
      this.#engine = new Engine(FORMATS[/** @type {keyof typeof FORMATS} */ (kind)], LATENCIES.indexOf(request.latency), codecs);
      this.#sink = new Sink(this.#engine, memory, Source, {
        attach: (handle, managed, transfer) => this.#report({ type: 'attach', handle, managed }, transfer),
        appended: () => this.#safe(() => this.#pace()),
        failed: (text) => {
          this.#warn('media-error', text);
          this.#rebuild();
        },
      });
    });
    ready.catch((error) => this.#fail('engine', String(error)));
    this.#loader = kind === 'hls'
      ? new Hls(url, retry, level, ready, target)
      : new Loader(url, kind, retry, ready, target);
  }

  /** Only the page's thread can call the page's function. @param {boolean} unspent @returns {Promise<string>} */
  #token(unspent) {
    return new Promise((resolve, reject) => {
      const id = this.#asking.id + 1;
      this.#asking = { id, answer: ({ token, error }) => (error ? reject(error) : resolve(token)) };
      this.#report({ type: 'token', id, unspent });
    });
  }

  /** @param {Uint8Array} bytes */
  #data(bytes) {
    const engine = this.#engine;
    if (!engine) return;
    const at = now();
    this.#bytes += bytes.length;
    const frames = engine.frames();
    engine.push(bytes, at);
    if (this.#request.trace && engine.frames() !== frames) {
      this.#report({ type: 'trace', time: engine.newest_picture(), at });
    }
    if (engine.failed()) return this.#loader?.broken('unsupported-format');
    this.#notices();
    this.#sink?.pump();
  }

  /** A trap leaves the engine in pieces: that is the end, and no failure of the network. @param {() => void} work */
  #safe(work) {
    try {
      work();
    } catch (error) {
      this.#sink?.close();
      this.#engine = this.#sink = null;
      this.#fail('engine', String(error));
    }
  }

  #notices() {
    const engine = this.#engine;
    for (let notice; engine && (notice = engine.notice());) {
      if (notice === 1) this.#warn('audio-unsupported');
      else this.#warn('codec-unsupported');
      if (notice === 2) this.#fail('codec-unsupported');
    }
  }

  /** Asks latency control what to do, with the playhead moved on to this moment. */
  #pace() {
    const { at, time, rate, paused, seeking, starved, hidden } = this.#clock;
    const engine = this.#engine, sink = this.#sink;
    if (!engine || !sink) return;
    const wall = now();
    const moved = paused || seeking || starved ? 0 : Math.min(wall - at, 2000) / 1000 * rate;
    const head = time + moved;
    const flags = +paused + 2 * +seeking + 4 * +starved + 8 * +hidden;
    sink.playhead(head);
    switch (engine.poll(wall, head, flags, sink.buffered())) {
      case 1: if (this.#request.rates) this.#report({ type: 'rate', rate: engine.value() }); break;
      case 2:
        // Until the player tells more, it is where it was sent.
        this.#clock = { ...this.#clock, at: wall, time: engine.value(), seeking: true };
        this.#report({ type: 'seek', time: engine.value() });
        break;
    }
    this.#notices();
    sink.pump();
    if (paused && wall - this.#pausedAt > PAUSE_LIMIT && this.#live && !this.#file && !this.#asleep) {
      this.#asleep = true;
      this.#loader?.pause();
    }
  }

  #resume() {
    this.#pausedAt = now();
    this.#engine?.resume();
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#loader?.again();
  }

  /** A new MediaSource, filled from a new connection: there the server begins with a key frame. */
  #rebuild() {
    if (!this.#engine || !this.#sink) return;
    this.#sink.drop();
    this.#engine.rebuild();
    // At once, but a stream that breaks the decoder every time must not spin.
    this.#loader?.again(this.#rebuilds++ ? Math.min(10_000, 500 * this.#rebuilds) : 0);
  }

  #end() {
    const engine = this.#engine;
    engine?.finish(now());
    // A page of words has an end as well.
    if (!engine?.codec(0) && !engine?.codec(1)) return this.#fail('unsupported-format');
    this.#sink?.end();
    this.#state('live', '');
  }

  /** @param {string} state @param {string} code @param {boolean} [own] */
  #state(state, code, own) {
    const live = state === 'live';
    if (live && !this.#live) this.#pausedAt = now();
    this.#live = live;
    this.#report({ type: 'state', state, code, own });
  }

  /** @param {string} code @param {string} [message] */
  #warn(code, message) {
    this.#report({ type: 'warning', code, message });
  }

  /** @param {string} code @param {string} [message] */
  #fail(code, message) {
    this.#loader?.close();
    this.#report({ type: 'error', code, message });
  }

  #tick() {
    this.#safe(() => this.#pace());
    const engine = this.#engine;
    if (!engine) return;
    if (this.#clock.hidden) this.#sink?.pump();
    const wall = now(), { at, bytes, frames } = this.#counted;
    const span = (wall - at) / 1000;
    this.#counted = { at: wall, bytes: this.#bytes, frames: engine.frames() };
    // Good for a while: the next failure is a new one.
    if (this.#live && this.#rebuilds && Math.random() < 0.05) this.#rebuilds--;
    this.#report({
      type: 'stats',
      stats: {
        latency: engine.latency(),
        target: engine.target(wall),
        bitrate: at ? Math.round((this.#bytes - bytes) * 8 / span) : 0,
        fps: at ? Math.round((engine.frames() - frames) / span * 10) / 10 : 0,
        protocol: PROTOCOLS[/** @type {keyof typeof PROTOCOLS} */ (this.#request.kind)],
        codecs: [engine.codec(0), engine.codec(1)].filter(Boolean).join(','),
        reconnects: this.#loader?.reconnects ?? 0,
        bad: engine.bad(),
      },
    });
  }
}
