// The MediaSource: pieces out of wasm memory into one SourceBuffer, one at a time.

/** Seconds kept behind the playhead. */
const BEHIND = 10;
/** Seconds buffered in all, when the playhead stands still. */
const MOST = 30;
/** Seconds ahead that a file may be. */
const AHEAD = 20;

/**
 * What the sink tells.
 * @typedef {object} Events
 * @property {(source: any, managed: boolean, transfer: Transferable[]) => void} attach
 * @property {() => void} appended
 * @property {(text: string) => void} failed
 */

/** Fills MediaSources from an engine. */
export class Sink {
  #engine; #memory; #Source; #events;
  /** @type {MediaSource | null} */ #source = null;
  /** @type {SourceBuffer | null} */ #buffer = null;
  #mime = '';
  /** A piece is taken from the engine but not appended yet. @type {number} */
  #held = 0;
  #head = 0;
  #ended = false;
  /** Counts MediaSources: events of older ones are ignored. */
  #life = 0;
  /** @type {(() => void)[]} */ #waiters = [];

  /**
   * @param {import('./player_wasm.js').Engine} engine
   * @param {WebAssembly.Memory} memory
   * @param {any} Source  MediaSource or ManagedMediaSource
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
    if (this.#waiters.length && this.#room()) for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Starts and ends of what is buffered, in seconds. */
  buffered() {
    const times = [];
    try {
      const ranges = this.#buffer?.buffered;
      for (let n = 0; ranges && n < ranges.length; n++) times.push(ranges.start(n), ranges.end(n));
    } catch {
      // The MediaSource is closed.
    }
    return new Float64Array(times);
  }

  /** Resolves when a file may go on loading. @returns {Promise<void>} */
  room() {
    return this.#room() ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve));
  }

  #room() {
    const ranges = this.buffered();
    return !ranges.length || ranges[ranges.length - 1] - this.#head < AHEAD;
  }

  /** Appends what there is to append. */
  pump() {
    for (;;) {
      const buffer = this.#buffer;
      if (buffer?.updating || (this.#source && this.#source.readyState !== 'open' && !this.#ended)) return;
      const kind = this.#held || this.#engine.take();
      this.#held = kind;
      if (kind === 0) return this.#idle();
      if (kind === 3) return this.#open();
      if (!buffer || /** @type {any} */ (this.#source).streaming === false) return;
      if (kind === 2) {
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

  /** No more will come. */
  end() {
    this.#ended = true;
    this.pump();
  }

  /** Forgets the MediaSource; the engine will ask for a new one. */
  drop() {
    this.#forget();
    this.#ended = false;
  }

  #forget() {
    this.#life++;
    this.#source = this.#buffer = null;
    this.#held = 0;
  }

  close() {
    this.drop();
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** @param {SourceBuffer} buffer @returns {boolean} whether it was taken */
  #append(buffer) {
    const engine = this.#engine;
    try {
      // Copied before it returns; the view is made anew each time since wasm memory may have grown.
      buffer.appendBuffer(new Uint8Array(this.#memory.buffer, engine.pointer(), engine.length()));
      this.#held = 0;
      return true;
    } catch (error) {
      if (/** @type {DOMException} */ (error).name !== 'QuotaExceededError') this.#failed(String(error));
      else if (!this.#evict(1, 5)) this.#failed('the buffer is full');
      return false;
    }
  }

  #open() {
    this.#forget();
    const life = this.#life;
    const Source = this.#Source;
    this.#held = 2;
    const mime = this.#mime = this.#engine.mime();
    if (!Source.isTypeSupported(mime)) return this.#unsupported(Source);
    const source = /** @type {MediaSource} */ (new Source());
    this.#source = source;
    const live = (/** @type {() => void} */ work) => () => { if (life === this.#life) work(); };
    source.addEventListener('startstreaming', live(() => this.pump()));
    source.addEventListener('sourceopen', live(() => {
      if (this.#buffer) return;
      try {
        const buffer = source.addSourceBuffer(mime);
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
    const handle = typeof document === 'undefined' ? /** @type {any} */ (source).handle : undefined;
    const managed = Source === /** @type {any} */ (globalThis).ManagedMediaSource;
    this.#events.attach(handle ?? source, managed, handle ? [handle] : []);
  }

  /** An unusual profile: without the track that has it. @param {any} Source */
  #unsupported(Source) {
    for (const [track, kind] of ['video', 'audio'].entries()) {
      const codec = this.#engine.codec(track);
      if (codec && !Source.isTypeSupported(`${kind}/mp4; codecs="${codec}"`)) this.#engine.refuse(track);
    }
    this.#failed(this.#mime);
  }

  /** Nothing to append: time to tidy up, or to end. */
  #idle() {
    if (!this.#buffer) return;
    if (this.#evict(BEHIND, MOST)) return;
    if (this.#ended && this.#source?.readyState === 'open') this.#source.endOfStream();
  }

  /**
   * Removes what is far behind the playhead, or too much, and says whether it does.
   * @param {number} behind  seconds
   * @param {number} most  seconds
   */
  #evict(behind, most) {
    const ranges = this.buffered();
    if (!ranges.length || !this.#buffer) return false;
    const start = ranges[0], end = ranges[ranges.length - 1];
    let until = this.#head - behind;
    // In lumps: removing costs as much as appending.
    if (until < start + behind / 2) until = end - start > most && !this.#ended ? end - most / 2 : 0;
    if (until <= start) return false;
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
