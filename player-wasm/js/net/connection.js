// A connection that reconnects after failures: its timeouts, attempts and events.

import { Retry } from './retry.js';

/** Milliseconds without data after which a server that has sent data counts as stalled. */
export const SILENCE = 6_000;
/** Milliseconds after which a paused live stream is disconnected. */
export const PAUSE_LIMIT = 30_000;
/** Milliseconds to wait for a response. Servers hold a request up to 15 s until the stream starts. */
const PATIENCE = 20_000;
/** Timeout in milliseconds of the page's token function. The viewer may have to log in. */
const DECISION = 60_000;
/** Milliseconds without a response after which the stream counts as not started. */
const ANSWER = 1_500;
/** Milliseconds in which a reachable server responds, even over a slow network or on a busy machine. */
const PROBE = 5_000;

/** Number of attempts after a permanent failure if nothing has ever played. */
const SAME = 6;

/** @typedef {'connecting' | 'waiting' | 'live' | 'reconnecting'} ConnectionState */

/**
 * Receives the events of a connection, and provides its tokens.
 * @typedef {object} Listener
 * @property {(state: ConnectionState, code?: string, own?: boolean, text?: string) => void} state own: the page's function has
 *   failed, not the server
 * @property {(code: string, text?: string) => void} fail text: a sentence from the page
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
  /** Whether the current attempt works. */
  #working = false;
  /** The last failure, and how often it occurred in a row. */
  #same = { code: '', count: 0 };
  /** Whether this browser has no more connections to the host. */
  #crowded = false;
  /** Whether no server has received the last token. */
  #unspent = false;
  /** Whether the current token was used in an attempt that reached no server. */
  #kept = false;
  #timer = 0;
  #asked = 0;
  #watch = 0;
  #closed = false;
  #hidden = false;
  /** Whether the server has answered a request whose response the page may not read (CORS). */
  #unreadable = false;
  /** The request that checks whether connections are left. */
  #crowds = false;

  /**
   * @param {number} retry  attempts before giving up
   * @param {Listener} listener
   */
  constructor(retry, listener) {
    this.#retry = new Retry(retry);
    this.#listener = listener;
  }

  /** Returns the address if fetch() can open it. */
  get address() { return ''; }

  /** Whether anything has played. */
  get worked() { return this.#worked; }

  /** Whether the page is hidden; then attempts are less frequent. */
  get hidden() { return this.#hidden; }
  set hidden(hidden) {
    const seen = this.#hidden && !hidden;
    this.#hidden = hidden;
    if (seen) this.#retry.hurry();
  }

  /** Whether the next attempt costs much, so that it may come as late as that of a hidden page. */
  get costly() { return false; }

  /** Makes one attempt. Throws `{ code, fatal, unspent }` if it fails. @param {AbortController} abort @returns {Promise<void>} */
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
      // A response that the page may not read looks like no response. Do not check after the first failure.
      if (!error?.code && !this.#worked && this.#same.count && !abort.signal.aborted && (this.#unreadable ||= await this.#answers())) code = 'cors';
      this.failed(abort, code, error?.fatal, error?.own, error?.detail ?? error?.say, error?.hopeless);
    });
  }

  /** Returns whether the server answers requests whose response the page may not read (CORS). */
  async #answers() {
    if (!/^http/.test(this.address)) return false;
    const signal = AbortSignal.timeout?.(PROBE);
    return fetch(this.address, { method: 'HEAD', mode: 'no-cors', signal }).then(() => true, () => false);
  }

  close() {
    this.#closed = true;
    this.pause();
  }

  /** Ends the attempt. {@link again} starts a new one. */
  pause() {
    this.rest();
    this.#retry.stop();
    this.abort.abort();
  }

  /** Starts a new attempt after some milliseconds. @param {number} [wait] */
  again(wait = 0) {
    this.pause();
    if (this.#closed) return;
    this.#retry.after(wait, () => {
      this.reconnects++;
      this.connect();
    });
  }

  /** Handles unusable data as a failure. @param {string} code */
  broken(code) {
    this.failed(this.abort, code, !this.#worked);
  }

  /** Cancels the timeouts. */
  rest() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
  }

  /** Notes that a frame has arrived: the connection works, and the next failure counts as the first. */
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
   * Returns the token for this attempt; empty if there is none.
   * @param {AbortController} abort
   * @param {boolean} [more] whether it is for another request of the attempt
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
   * Sends a request with the attempt's token. If the request reaches no server, the next attempt may use the token again.
   * @param {AbortController} abort
   * @param {() => Promise<T>} work
   * @template T
   */
  async reach(abort, work) {
    try {
      return await work();
    } catch (error) {
      // This is an error of the browser: there was no response.
      if (!abort.signal.aborted && error instanceof TypeError) this.#unspent = true;
      throw error;
    }
  }

  /** Notes that a request was sent. Without a response soon, the stream counts as not started. @param {AbortController} [abort] */
  asked(abort = this.abort) {
    if (abort.signal.aborted) return;
    this.alive(PATIENCE, abort);
    this.#asked = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      this.#listener.state('waiting', 'not-found');
      // A server that waits for a stream still answers other requests. Over HTTP/1, a browser opens six connections to a host.
      if (!/^http:/.test(this.address) || this.#worked || this.#crowds) return;
      this.#crowds = true;
      this.#crowded = !await this.#answers();
      this.#crowds = false;
      if (this.#crowded && !this.#working && !abort.signal.aborted) this.#listener.state('waiting', 'connections');
    }, ANSWER);
  }

  /**
   * Restarts the timeout. The attempt fails if nothing happens in time.
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
   * @param {boolean} [own] whether the page's function has failed
   * @param {string} [text] a sentence from the page
   * @param {boolean} [hopeless] whether the same request would fail again
   */
  failed(abort, code, fatal, own = false, text = '', hopeless = false) {
    if (this.#closed || abort !== this.abort || abort.signal.aborted) return;
    this.pause();
    if (this.#crowded && code === 'stalled') code = 'connections';
    const count = this.#same.code === code ? this.#same.count + 1 : 1;
    this.#same = { code, count };
    hopeless ||= code === 'cors' || code === 'closed' || code === 'unsupported-format';
    fatal ||= hopeless && !this.#worked && !own && count >= SAME;
    // Back off: the token server is shared by many viewers.
    const slow = this.#hidden || own || this.costly;
    // The token may have expired, or was used before.
    const mendable = code === 'forbidden' && !own && this.#listener.token;
    const again = mendable && this.#retry.refused(this.#kept, this.#worked, slow);
    if (typeof again === 'number') return this.again(again);
    // If the server held the request until the stream starts, retry at once.
    const held = code === 'not-found' && performance.now() - this.#asked > ANSWER;
    const wait = fatal ? undefined : this.#retry.next(slow, held);
    if (wait === undefined) return this.#listener.fail(code, text);
    this.#listener.state(code === 'not-found' || code === 'connections' ? 'waiting' : 'reconnecting', code, own, text);
    this.again(wait);
  }
}
