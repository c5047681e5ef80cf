// A connection that is made again when it fails: its timeouts, its attempts, and what it tells.

import { Retry } from './retry.js';

/** Milliseconds without data, once some came, after which the server has stalled. */
export const SILENCE = 6_000;
/** A paused live stream is let go after this many milliseconds. */
export const PAUSE_LIMIT = 30_000;
/** Milliseconds to wait for an answer: servers hold a request for 15 s until somebody publishes. */
const PATIENCE = 20_000;
/** Milliseconds that a page's function may take for a token. Somebody may have to log in. */
const DECISION = 60_000;
/** No answer for this many milliseconds means that nobody publishes yet. */
const ANSWER = 1_500;
/** Milliseconds within which a server answers that answers at all, also over a slow network or on a busy machine. */
const PROBE = 5_000;

/** Attempts at what cannot become better, as long as nothing was ever played. */
const SAME = 6;

/** @typedef {'connecting' | 'waiting' | 'live' | 'reconnecting'} ConnectionState */

/**
 * What a connection tells, and where its tokens come from.
 * @typedef {object} Listener
 * @property {(state: ConnectionState, code?: string, own?: boolean, text?: string) => void} state own: the page's function has
 *   failed, not the server
 * @property {(code: string, text?: string) => void} fail text: a sentence of the page's own
 * @property {(unspent?: boolean) => Promise<string>} [token] the token that the server is shown; none: there are no tokens.
 *   unspent: the token before reached nobody
 */

/** One connection, with one attempt at a time. */
export class Connection {
  reconnects = 0;
  /** Ends the attempt. */
  abort = new AbortController();
  #retry; #listener;
  #worked = false;
  /** The present attempt works. */
  #working = false;
  /** The last failure, and how often it came in a row. */
  #same = { code: '', count: 0 };
  /** The host takes no more connections of this browser. */
  #crowded = false;
  /** The last token reached nobody. */
  #unspent = false;
  /** The present token is one that reached nobody before. */
  #kept = false;
  #timer = 0;
  #asked = 0;
  #watch = 0;
  #closed = false;
  #hidden = false;
  /** The server has answered a request whose response the page may not read. */
  #unreadable = false;
  /** A request looks whether there are connections left. */
  #crowds = false;

  /**
   * @param {number} retry  attempts before giving up
   * @param {Listener} listener
   */
  constructor(retry, listener) {
    this.#retry = new Retry(retry);
    this.#listener = listener;
  }

  /** The address, if it is one that fetch() opens. */
  get address() { return ''; }

  /** Whether something was played. */
  get worked() { return this.#worked; }

  /** Whether the page is hidden; then attempts are less frequent. */
  get hidden() { return this.#hidden; }
  set hidden(hidden) {
    const seen = this.#hidden && !hidden;
    this.#hidden = hidden;
    if (seen) this.#retry.hurry();
  }

  /** One attempt; throws `{ code, fatal, unspent }` when it fails. @param {AbortController} abort @returns {Promise<void>} */
  async open(abort) {}

  /** Makes an attempt. */
  connect() {
    if (this.#closed) return;
    const abort = this.abort = new AbortController();
    this.#working = this.#crowded = false;
    this.open(abort).catch(async (error) => {
      if (!abort.signal.aborted && error?.unspent) this.#unspent = true;
      let code = error?.code ?? 'network';
      if (error instanceof WebAssembly.RuntimeError) return this.failed(abort, 'engine', true, false, String(error));
      // An answer that the page may not read looks like none. The first failure is not looked into.
      if (!error?.code && !this.#worked && this.#same.count && !abort.signal.aborted && (this.#unreadable ||= await this.#answers())) code = 'cors';
      this.failed(abort, code, error?.fatal, error?.own, error?.detail ?? error?.say, error?.hopeless);
    });
  }

  /** Whether the server answers requests whose answer the page may not read. */
  async #answers() {
    if (!/^http/.test(this.address)) return false;
    const signal = AbortSignal.timeout?.(PROBE);
    return fetch(this.address, { method: 'HEAD', mode: 'no-cors', signal }).then(() => true, () => false);
  }

  close() {
    this.#closed = true;
    this.pause();
  }

  /** Ends the attempt; {@link again} makes a new one. */
  pause() {
    this.rest();
    this.#retry.stop();
    this.abort.abort();
  }

  /** Makes a new attempt, after some milliseconds. @param {number} [wait] */
  again(wait = 0) {
    this.pause();
    if (this.#closed) return;
    this.#retry.after(wait, () => {
      this.reconnects++;
      this.connect();
    });
  }

  /** Fails: the data that came is of no use. @param {string} code */
  broken(code) {
    this.failed(this.abort, code, !this.#worked);
  }

  /** Ends the timeouts. */
  rest() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
  }

  /** A frame came: the connection works, and the next failure is a first one. */
  works() {
    if (this.#working) return;
    this.#working = true;
    this.#same.count = 0;
    clearTimeout(this.#timer);
    this.#retry.reset();
    this.#worked = true;
    this.#listener.state('live');
  }

  /**
   * The token for this attempt; empty: none.
   * @param {AbortController} abort
   * @param {boolean} [more] for another request of the attempt
   */
  async token(abort, more = false) {
    const { token } = this.#listener;
    if (!token) return '';
    this.alive(DECISION, abort);
    this.#kept = this.#unspent || (more && this.#kept);
    this.#unspent = false;
    const given = await token(this.#kept);
    if (!abort.signal.aborted) this.rest();
    return given;
  }

  /**
   * A request that shows the attempt's token; if it reaches nobody, the next attempt may show it again.
   * @param {AbortController} abort
   * @param {() => Promise<T>} work
   * @template T
   */
  async reach(abort, work) {
    try {
      return await work();
    } catch (error) {
      // The browser's own error: there was no answer.
      if (!abort.signal.aborted && error instanceof TypeError) this.#unspent = true;
      throw error;
    }
  }

  /** A request was sent. Without an answer soon, nobody publishes. @param {AbortController} [abort] */
  asked(abort = this.abort) {
    if (abort.signal.aborted) return;
    this.alive(PATIENCE, abort);
    this.#asked = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      this.#listener.state('waiting', 'not-found');
      // A server that waits for a stream answers others meanwhile. Over HTTP/1 a browser opens six connections to a host.
      if (!/^http:/.test(this.address) || this.#worked || this.#crowds) return;
      this.#crowds = true;
      this.#crowded = !await this.#answers();
      this.#crowds = false;
      if (this.#crowded && !this.#working && !abort.signal.aborted) this.#listener.state('waiting', 'connections');
    }, ANSWER);
  }

  /**
   * Sets the timeout anew: something must happen within some milliseconds.
   * @param {number} limit
   * @param {AbortController} [abort]  of the attempt
   */
  alive(limit, abort = this.abort) {
    if (abort.signal.aborted) return;
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.failed(abort, 'stalled'), limit);
  }

  /**
   * @param {AbortController} abort  of the attempt that failed
   * @param {string} code
   * @param {boolean} [fatal]
   * @param {boolean} [own] the page's function has failed
   * @param {string} [text] the page's own sentence
   * @param {boolean} [hopeless] the same request will fail again
   */
  failed(abort, code, fatal, own = false, text = '', hopeless = false) {
    if (this.#closed || abort !== this.abort || abort.signal.aborted) return;
    this.pause();
    if (this.#crowded && code === 'stalled') code = 'connections';
    const count = this.#same.code === code ? this.#same.count + 1 : 1;
    this.#same = { code, count };
    hopeless ||= code === 'cors' || code === 'closed' || code === 'unsupported-format';
    fatal ||= hopeless && !this.#worked && !own && count >= SAME;
    // The server that gives tokens is shared by many.
    const slow = this.#hidden || own;
    // The token may have been too old, or used up.
    const mendable = code === 'forbidden' && !own && this.#listener.token;
    const again = mendable && this.#retry.refused(this.#kept, this.#worked, slow);
    if (typeof again === 'number') return this.again(again);
    // A server that held the request until somebody publishes may be asked again at once.
    const held = code === 'not-found' && performance.now() - this.#asked > ANSWER;
    const wait = fatal ? undefined : this.#retry.next(slow, held);
    if (wait === undefined) return this.#listener.fail(code, text);
    this.#listener.state(code === 'not-found' || code === 'connections' ? 'waiting' : 'reconnecting', code, own, text);
    this.again(wait);
  }
}
