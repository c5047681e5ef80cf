// Appends pieces of wasm memory to the SourceBuffer of a MediaSource, one at a time.

/** Seconds of media that stay in the buffer behind the playhead: of a live stream, and of a recording. */
const BEHIND = 10;
const BEHIND_FILE = 30;
/** Seconds of a recording that are loaded ahead of the playhead. */
const AHEAD = 20;
/** Approximate limit of the bytes of a recording that wait to be appended. */
const WAITING = 4 << 20;

/**
 * Receives the events of the sink.
 * @typedef {object} Events
 * @property {(source: import('./sources/messages.js').Media, managed: boolean, transfer: Transferable[]) => void} attach
 * @property {() => void} appended
 * @property {(text: string) => void} failed
 * @property {() => number} duration of a recording, in seconds; 0: unknown, or it has none
 */

/** Fills MediaSources from an engine. */
export class Sink {
  #engine; #memory; #Source; #events;
  /** @type {MediaSource | null} */ #source = null;
  /** @type {SourceBuffer | null} */ #buffer = null;
  #mime = '';
  /** A piece that was taken from the engine and is not appended yet. @type {import('../../player_wasm.js').PieceKind | undefined} */
  #held;
  #head = 0;
  #ended = false;
  /** Whether the whole buffer must be removed. */
  #clearing = false;
  /** Whether the buffer is full of media that has not been played yet. */
  #full = false;
  /** Whether the stream is a recording: no media may be dropped, and loading waits while enough is buffered. */
  file = false;
  /** The number of the current MediaSource. Events of earlier ones are ignored. */
  #life = 0;
  /** @type {(() => void)[]} */ #waiters = [];

  /**
   * @param {import('../../player_wasm.js').Engine} engine
   * @param {WebAssembly.Memory} memory
   * @param {typeof MediaSource} Source  or ManagedMediaSource
   * @param {Events} events
   */
  constructor(engine, memory, Source, events) {
    this.#engine = engine;
    this.#memory = memory;
    this.#Source = Source;
    this.#events = events;
  }

  /** @param {number} time */
  playhead(time) {
    this.#head = time;
    this.#full = false;
    if (this.#waiters.length && this.#room()) for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Returns the starts and ends of the buffered ranges, in seconds. */
  buffered() {
    const times = [];
    try {
      const ranges = this.#clearing ? null : this.#buffer?.buffered;
      for (let n = 0; ranges && n < ranges.length; n++) times.push(ranges.start(n), ranges.end(n));
    } catch {
      // The MediaSource is closed.
    }
    return new Float64Array(times);
  }

  /** Returns a promise that resolves when a file may continue to load. @returns {Promise<void>} */
  room() {
    return this.#room() ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve));
  }

  #room() {
    return this.#engine.pending() < WAITING && this.#engine.end() - this.#head < AHEAD;
  }

  /** Empties the buffer for a seek of the viewer. */
  clear() {
    if (this.#held === 'fragments') this.#held = undefined;
    this.#clearing = !!this.#buffer;
    this.#ended = this.#full = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
    this.pump();
  }

  /** Sets the media times between which the server has a live stream. @param {number} start @param {number} end */
  seekable(start, end) {
    try {
      this.#source?.setLiveSeekableRange?.(start, end);
    } catch {
      // The MediaSource is not open now.
    }
  }

  /** Appends the next piece. */
  pump() {
    for (;;) {
      const buffer = this.#buffer;
      if (buffer?.updating || (this.#source && this.#source.readyState !== 'open' && !this.#ended && !this.#clearing)) return;
      if (this.#clearing && buffer) {
        this.#clearing = false;
        try {
          // This also reopens a MediaSource that has ended.
          buffer.remove(0, Infinity);
          return;
        } catch (error) {
          return this.#failed(String(error));
        }
      }
      const kind = this.#held ??= this.#engine.take();
      if (!kind) return this.#idle();
      if (kind === 'rebuild') return this.#open();
      if (!buffer || this.#full || /** @type {Partial<ManagedMediaSource> | null} */ (this.#source)?.streaming === false) return;
      if (kind === 'init') {
        const mime = this.#engine.mime();
        try {
          buffer.abort();
          if (mime !== this.#mime) buffer.changeType(mime);
          this.#mime = mime;
        } catch (error) {
          return this.#failed(String(error));
        }
      }
      if (!this.#append(buffer)) return;
    }
  }

  /** Ends the MediaSource: no more data will come. */
  end() {
    this.#ended = true;
    this.pump();
  }

  /** Drops the MediaSource. The engine asks for a new one. */
  drop() {
    this.#forget();
    this.#ended = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #forget() {
    this.#life++;
    this.#source = this.#buffer = null;
    this.#held = undefined;
    this.#clearing = this.#full = false;
  }

  close() {
    this.drop();
  }

  /** @param {SourceBuffer} buffer @returns {boolean} whether the buffer accepted the piece */
  #append(buffer) {
    const engine = this.#engine;
    try {
      // The data is copied before the call returns. The view is made anew each time, since wasm memory may have grown.
      buffer.appendBuffer(new Uint8Array(this.#memory.buffer, engine.pointer(), engine.length()));
      this.#held = undefined;
      return true;
    } catch (error) {
      if (/** @type {DOMException} */ (error).name !== 'QuotaExceededError') this.#failed(String(error));
      // Appending of a recording continues after some of it has been played.
      else if (!this.#evict(1) && !(this.#full = this.file)) this.#failed('the buffer is full');
      return false;
    }
  }

  #open() {
    this.#forget();
    const life = this.#life;
    const Source = this.#Source;
    this.#held = 'init';
    const mime = this.#mime = this.#engine.mime();
    if (!Source.isTypeSupported(mime)) return this.#unsupported(Source);
    const source = new Source();
    this.#source = source;
    const live = (/** @type {() => void} */ work) => () => { if (life === this.#life) work(); };
    source.addEventListener('startstreaming', live(() => this.pump()));
    source.addEventListener('sourceopen', live(() => {
      if (this.#buffer) return;
      try {
        const buffer = source.addSourceBuffer(mime);
        const duration = this.#events.duration();
        if (duration) source.duration = duration;
        buffer.mode = 'segments';
        buffer.addEventListener('updateend', live(() => {
          this.#events.appended();
          this.pump();
        }));
        buffer.addEventListener('error', live(() => this.#failed('the stream could not be decoded')));
        this.#buffer = buffer;
      } catch (error) {
        return this.#failed(String(error));
      }
      this.pump();
    }));
    const handle = typeof document === 'undefined' ? /** @type {MediaSource & { handle?: MediaSourceHandle }} */ (source).handle : undefined;
    const managed = Source === globalThis.ManagedMediaSource;
    this.#events.attach(handle ?? source, managed, handle ? [handle] : []);
  }

  /** Disables a track whose profile the browser cannot play. @param {typeof MediaSource} Source */
  #unsupported(Source) {
    for (const track of /** @type {const} */ (['video', 'audio'])) {
      const codec = this.#engine.codec(track);
      if (codec && !Source.isTypeSupported(`${track}/mp4; codecs="${codec}"`)) this.#engine.refuse(track);
    }
    this.#failed(this.#mime);
  }

  /** Removes old media, or ends, when there is nothing to append. */
  #idle() {
    if (!this.#buffer) return;
    if (this.#evict(this.file ? BEHIND_FILE : BEHIND)) return;
    if (this.#ended && this.#source?.readyState === 'open') this.#source.endOfStream();
  }

  /**
   * Removes media far behind the playhead, never ahead of it. Returns whether a removal started.
   * @param {number} behind  seconds
   */
  #evict(behind) {
    const ranges = this.buffered();
    if (!ranges.length || !this.#buffer) return false;
    const until = this.#head - behind;
    // A removal costs as much as an append, so media is removed in large parts.
    if (until < ranges[0] + behind / 2) return false;
    try {
      this.#buffer.remove(0, until);
      return true;
    } catch {
      return false;
    }
  }

  /** @param {string} text */
  #failed(text) {
    this.drop();
    this.#events.failed(text);
  }
}
