// Network → wasm → MediaSource, in a Worker or on the main thread. Talks to the player by messages.
//
// in:  load, module, clock, latency, resume, live, sought, stalled, rebuild, token
// out: attach, rate, seek, state, warning, error, stats, token (asks for one), other, trace (see player.js)

import { PAUSE_LIMIT } from '../../net/connection.js';
import { now } from './clock.js';
import { loadEngine } from './load-engine.js';
import { Loader } from './sources/flv/loader.js';
import { statistics } from './statistics.js';
import { Sink } from './sink.js';
import { Unplayable } from './unplayable-video.js';
import { isFile } from './whole-file.js';

/**
 * @typedef {import('./sources/messages.js').State} State
 * @typedef {import('./sources/messages.js').Kind} Kind
 * @typedef {import('./sources/messages.js').ToPipeline} ToPipeline
 */

/** Milliseconds between a seek and the request for its media: a seek bar that is dragged seeks often. */
const SETTLE = 150;
/** Number of MediaSources that break in a row before the stream plays without audio, and before it ends with an error. */
const BROKEN = 2;
const GIVEN_UP = 4;
/** Bytes of a stream that must contain a frame, when nothing has played yet. */
const FRUITLESS = 2 << 20;

/** Returns whether a time is buffered. @param {Float64Array} ranges @param {number} time */
const within = (ranges, time) => ranges.some((start, n) => n % 2 === 0 && start <= time && time < ranges[n + 1]);

/** Runs one stream. */
export class Pipeline {
  #report;
  #request = /** @type {import('./sources/messages.js').Load} */ ({});
  /** @type {(module: WebAssembly.Module | undefined) => void} */ #compiled = () => {};
  /** @type {import('../../player_wasm.js').Engine | null} */ #engine = null;
  /** @type {Sink | null} */ #sink = null;
  /** @type {Loader | import('./sources/hls/hls.js').Hls | null} */ #loader = null;
  #closed = false;
  #timer;
  /** The newest state of the playhead that the player has sent. @type {import('./sources/messages.js').Clock} */
  #clock = { at: 0, time: 0, rate: 1, paused: true, seeking: false, starved: true, hidden: false };
  /** When the viewer paused, or the stream started. */
  #pausedAt = 0;
  #asleep = false;
  #live = false;
  #file = false;
  #ended = false;
  #rebuilds = 0;
  /** Number of MediaSources that broke in a row before anything played. */
  #broken = 0;
  /** Whether the media for a seek is being fetched. */
  #fetching = false;
  #settle = 0;
  /** Duration of a recording in seconds. */
  #duration = 0;
  /** When the first frame of the connection arrived, and its media time. */
  #begun = { at: 0, end: 0 };
  #bytes = 0;
  #unplayable = new Unplayable();
  #statistics = statistics();
  /** The current request for a token. Answers to earlier requests are ignored. */
  #asking = { id: 0, answer: (/** @type {import('./sources/messages.js').TokenAnswer} */ message) => {} };

  /** @param {import('./sources/messages.js').Report} report */
  constructor(report) {
    this.#report = report;
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  /** @param {ToPipeline} message */
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
        this.#engine?.set_latency(message.latency);
        break;
      case 'resume': this.#resume(); break;
      case 'live': this.#safe(() => this.#goLive()); break;
      case 'sought': this.#safe(() => this.#seek(message.time)); break;
      case 'stalled': this.#engine?.stalled(now()); break;
      case 'rebuild': this.#rebuild(message.text); break;
      case 'token': if (message.id === this.#asking.id) this.#asking.answer(message); break;
    }
  }

  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#settle);
    this.#loader?.close();
    this.#sink?.close();
    this.#engine?.free();
    this.#engine = null;
  }

  /** @param {import('./sources/messages.js').Load} request */
  #open(request) {
    this.#request = request;
    const { url, kind, latency, retry, token } = request;
    const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
    if (!Source) return this.#fail('no-mse');
    // The connection opens while the wasm compiles. The connection keeps data that arrives before.
    const target = {
      data: (/** @type {Uint8Array} */ bytes) => this.#safe(() => this.#data(bytes)),
      state: (/** @type {State} */ state, code = '', own = false, text = '') => this.#state(state, code, own, text),
      reconnected: () => this.#safe(() => this.#engine?.reconnect()),
      file: (/** @type {boolean} */ fresh) => this.#safe(() => this.#isFile(fresh)),
      place: (/** @type {number} */ at) => this.#safe(() => this.#engine?.place(at, now())),
      end_time: () => this.#engine?.end() ?? 0,
      window: (/** @type {number} */ begin, /** @type {number} */ end, /** @type {boolean} */ file) => {
        if (file) this.#duration = end;
        else this.#sink?.seekable(begin, end);
      },
      native: request.native,
      plays: (/** @type {string} */ mime) => Source.isTypeSupported(mime),
      warn: (/** @type {string} */ code, /** @type {string} */ text = '') => this.#warn(code, text),
      other: (/** @type {Kind | 'page'} */ found) => this.#other(found),
      whole: (/** @type {number} */ span) => this.#whole(span),
      flush: () => this.#safe(() => this.#engine?.flush(now())),
      discontinuity: () => this.#safe(() => this.#engine?.discontinuity(now())),
      room: () => this.#sink?.room() ?? Promise.resolve(),
      end: () => this.#safe(() => this.#end()),
      fail: (/** @type {string} */ code, /** @type {string} */ text = '') => this.#fail(code, text),
      token: token ? (unspent = false) => this.#token(unspent) : undefined,
    };
    const compiled = new Promise((resolve) => { this.#compiled = resolve; });
    const ready = loadEngine(request, compiled, Source).then(({ engine, memory }) => {
      if (this.#closed) return engine.free();
      this.#engine = engine;
      this.#sink = new Sink(engine, memory, Source, {
        attach: (handle, managed, transfer) => this.#report({ type: 'attach', handle, managed }, transfer),
        appended: () => this.#safe(() => this.#pace()),
        duration: () => this.#duration || (this.#file && engine.duration()) || 0,
        failed: (text) => {
          this.#warn('media-error', text);
          this.#rebuild(text);
        },
      });
      this.#sink.file = this.#file;
    });
    ready.catch((error) => this.#fail('engine', String(error)));
    if (kind !== 'hls') {
      this.#loader = new Loader(url, kind, retry, ready, target);
      return;
    }
    import('./sources/hls/hls.js').then(({ Hls }) => {
      if (this.#closed) return;
      this.#loader = new Hls(url, retry, latency, ready, target);
      this.#loader.hidden = this.#clock.hidden;
    }, (error) => this.#fail('engine', String(error)));
  }

  /** Asks the page for a token: only the page's thread can call its function. @param {boolean} unspent @returns {Promise<string>} */
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
    const frames = engine.frames(), received = engine.received();
    engine.push(bytes, at);
    if (engine.received() !== received) this.#loader?.works();
    else if (!received && this.#bytes > FRUITLESS) return this.#loader?.broken('unsupported-format');
    if (!this.#begun.at && engine.end() > 0) this.#begun = { at, end: engine.end() };
    if (this.#request.trace && engine.frames() !== frames) {
      this.#report({ type: 'trace', time: engine.newest_picture(), at });
    }
    if (engine.failed()) return this.#loader?.broken('unsupported-format');
    this.#notices();
    this.#sink?.pump();
  }

  /** Runs a function that calls the engine. After a trap the engine cannot be used, so the stream ends with an error. @param {() => void} work */
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
    for (let track; engine && (track = engine.notice());) {
      const lost = track, codec = engine.noticed();
      const audio = track === 'audio';
      const why = import('./unplayable.js').then((module) => module.why(lost, codec), () => undefined);
      why.then((why) => this.#warn(audio ? 'audio-unsupported' : 'codec-unsupported', why?.text, why?.word));
      if (!audio) this.#unplayable.add(why);
    }
    if (engine && this.#unplayable.lasts(engine)) this.#giveUp();
  }

  /** Ends the stream with the reason why its video cannot be played. */
  #giveUp() {
    this.#loader?.close();
    void this.#unplayable.take().then((why) => this.#fail('codec-unsupported', why?.text, why?.word));
  }

  /** Asks latency control for its action, with the playhead of this moment. */
  #pace() {
    const { at, time, rate, paused, seeking, starved, hidden } = this.#clock;
    const engine = this.#engine, sink = this.#sink;
    if (!engine || !sink) return;
    const wall = now();
    const moved = paused || seeking || starved ? 0 : Math.min(wall - at, 2000) / 1000 * rate;
    const head = time + moved;
    const ranges = sink.buffered();
    if (this.#fetching && within(ranges, head)) this.#fetching = false;
    engine.set_playhead(head, paused, seeking, starved, hidden, this.#fetching);
    sink.playhead(head);
    // The stream plays, so earlier errors do not count any more.
    if (moved > 0.05) this.#broken = 0;
    switch (engine.poll(wall, ranges)) {
      case 'rate': if (this.#request.rates) this.#report({ type: 'rate', rate: engine.value() }); break;
      case 'seek':
        // The playhead is assumed to be there until the player sends its state.
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

  /** Handles a seek of the viewer. @param {number} time */
  #seek(time) {
    const engine = this.#engine, sink = this.#sink;
    if (!engine || !sink) return;
    this.#clock = { ...this.#clock, at: now(), time, seeking: true };
    engine.sought(time, now());
    this.#fetching = !within(sink.buffered(), time) && !!this.#loader?.worked;
    clearTimeout(this.#settle);
    if (this.#fetching) this.#settle = setTimeout(() => this.#safe(() => this.#fetch(time)), SETTLE);
    this.#pace();
  }

  /** Fetches the media for a seek, if the server has it. @param {number} time */
  #fetch(time) {
    const engine = this.#engine, sink = this.#sink, loader = this.#loader;
    if (!engine || !sink || !this.#fetching) return;
    const ranges = sink.buffered();
    if (loader && 'seek' in loader) {
      this.#fetching = loader.seek(time);
      if (this.#fetching) engine.seek(time);
    } else if (!this.#file || (ranges.length && time >= ranges[0])) {
      // In a file that is still being loaded: wait until this position is loaded.
      this.#fetching = this.#file && !this.#ended;
      return;
    } else {
      engine.seek(0);
      this.#fetching = /** @type {Loader} */ (loader).rewind();
    }
    if (!this.#fetching) return;
    this.#ended = false;
    sink.clear();
  }

  /** Moves the playhead to the live edge. */
  #goLive() {
    const engine = this.#engine;
    if (!engine || this.#file) return;
    clearTimeout(this.#settle);
    this.#fetching = false;
    const loader = this.#loader;
    const elsewhere = !!loader && 'goLive' in loader && loader.goLive();
    if (elsewhere) {
      engine.seek(engine.end());
      this.#sink?.clear();
    }
    if (this.#sink) this.#sink.file = false;
    engine.go_live(elsewhere);
    this.#pace();
  }

  /** Notes that the stream is a file, which has an end. @param {boolean} fresh */
  #isFile(fresh) {
    if (!this.#file) this.#engine?.set_file(fresh);
    this.#file = true;
    if (this.#sink) this.#sink.file = true;
  }

  /**
   * Returns whether the response is a file although the server did not say so.
   * @param {number} seconds see {@link isFile}
   */
  #whole(seconds) {
    const engine = this.#engine;
    if (!this.#file && engine && isFile(engine, this.#begun, seconds)) this.#isFile(false);
    return this.#file;
  }

  /** Reports that the address is of another kind than its suffix says. @param {Kind | 'page'} kind */
  #other(kind) {
    this.#loader?.pause();
    if (kind === 'page') return this.#fail('unsupported-format', 'web-page');
    this.#report({ type: 'other', kind });
  }

  #resume() {
    this.#pausedAt = now();
    this.#engine?.resume();
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#loader?.again();
  }

  /**
   * Creates a new MediaSource and connects again, because the server starts a connection with a key frame.
   * @param {string} [text] why the old one failed
   */
  #rebuild(text = '') {
    const engine = this.#engine, loader = this.#loader;
    if (!engine || !this.#sink) return;
    // The same data will break it again, so continue without one track. Audio causes this more often than video.
    const broken = ++this.#broken;
    if (broken >= BROKEN && engine.codec('video') && engine.codec('audio')) {
      engine.refuse(/video/i.test(text) && !/audio/i.test(text) ? 'video' : 'audio');
      this.#notices();
      this.#broken = 1;
    } else if (broken >= GIVEN_UP) {
      return this.#fail(engine.codec('video') || engine.codec('audio') ? 'media-error' : 'unsupported-format', text);
    }
    this.#sink.drop();
    engine.rebuild();
    if (this.#file && loader && 'seek' in loader) loader.seek(this.#clock.time);
    else if (this.#file) /** @type {Loader} */ (loader).rewind();
    // The first time immediately, later after a pause: some streams break the decoder every time.
    this.#loader?.again(this.#rebuilds++ ? Math.min(10_000, 500 * this.#rebuilds) : 0);
  }

  #end() {
    const engine = this.#engine;
    engine?.finish(now());
    // The response may not have been a stream, such as an HTML error page.
    if (!engine?.codec('video') && !engine?.codec('audio')) return this.#unplayable.found ? this.#giveUp() : this.#fail('unsupported-format');
    this.#ended = true;
    this.#fetching = false;
    this.#sink?.end();
    this.#state('live', '');
  }

  /** @param {State} state @param {string} code @param {boolean} [own] @param {string} [message] */
  #state(state, code, own, message) {
    const live = state === 'live';
    if (live && !this.#live) this.#pausedAt = now();
    this.#live = live;
    this.#report({ type: 'state', state, code, own, message });
  }

  /** @param {string} code @param {string} [message] @param {string} [word] the sentence's name, for translators */
  #warn(code, message, word) {
    this.#report({ type: 'warning', code, message, word });
  }

  /** @param {string} code @param {string} [message] @param {string} [word] */
  #fail(code, message, word) {
    this.#loader?.close();
    this.#report({ type: 'error', code, message, word });
  }

  #tick() {
    this.#safe(() => this.#pace());
    const engine = this.#engine;
    if (!engine) return;
    if (this.#clock.hidden) this.#sink?.pump();
    const ranges = this.#sink?.buffered() ?? [];
    if (!this.#file && ranges.length && this.#request.kind !== 'hls') this.#sink?.seekable(ranges[0], ranges[ranges.length - 1]);
    // After some time without failures, the next failure counts as the first one again.
    if (this.#live && this.#rebuilds && Math.random() < 0.05) this.#rebuilds--;
    const reconnects = this.#loader?.reconnects ?? 0;
    this.#report({ type: 'stats', stats: this.#statistics(engine, this.#request.kind, this.#bytes, reconnects) });
  }
}
