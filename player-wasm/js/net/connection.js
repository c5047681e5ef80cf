// What all that connect have in common: what is waited for, and that it is tried again.

import { backOff } from './retry.js';

/** Nothing for this long, once something came: the server has stalled. */
export const SILENCE = 6_000;
/** No answer at all: servers hold a request for 15 s until somebody publishes. */
export const PATIENCE = 20_000;
/** A page's function that gives no token within this will not. Somebody may have to log in. */
const DECISION = 60_000;
/** No answer for this long means that there is nobody yet. */
const ANSWER = 1_500;
/** A server that answers at all does so within this, also over a slow network or on a busy machine. */
const PROBE = 5_000;

/** What cannot become better is tried so many times, as long as nothing was ever played. */
const SAME = 6;

/** What an HTTP status other than success means. @param {number} status @param {Response} [response] */
export function refusal(status, response) {
  const fatal = status === 401 || status === 403;
  const page = fatal && /html/.test(response?.headers.get('content-type') ?? '');
  return {
    code: fatal ? 'forbidden' : status === 404 || status === 410 ? 'not-found' : 'http',
    fatal,
    status,
    // A media server says it in a few words; a firewall or a login has a page.
    say: page ? 'refused-page' : fatal || status === 404 ? '' : `HTTP ${status}`,
    // The request itself is wrong: the same one will be so again.
    hopeless: status >= 400 && status < 500 && ![404, 408, 410, 425, 429].includes(status),
    // 502 to 504 are a proxy's, in front of a server that is away.
    unspent: status > 501 && status < 505,
  };
}

/**
 * Whom a connection tells how it is doing.
 * @typedef {object} Listener
 * @property {(state: string, code?: string, own?: boolean, text?: string) => void} state own: what has failed is the page's
 * @property {(code: string, text?: string) => void} fail text: a sentence of the page's own
 * @property {(unspent?: boolean) => Promise<string>} [token] what shows the server that we may; none: nothing does.
 *   unspent: the one before reached nobody
 */

/** Once it has played, a server may be back before it knows whom to trust: so many refusals are looked into. */
const REFUSALS = 4;

/** A connection that is made again when it fails: one attempt at a time. */
export class Connection {
  reconnects = 0;
  /** Ends the attempt. */
  abort = new AbortController();
  #retry; #listener;
  #attempt = 0;
  /** Refusals in a row. */
  #refused = 0;
  #worked = false;
  /** This attempt has. */
  #working = false;
  /** The last failure, and how often it came in a row. */
  #same = { code: '', count: 0 };
  /** The host takes no more connections of this browser. */
  #crowded = false;
  /** The last token reached nobody; the present one is such a one. */
  #unspent = false;
  #kept = false;
  #timer = 0;
  #asked = 0;
  #watch = 0;
  #closed = false;
  /** Waits for the next attempt. */
  #resting = false;
  /** The server has answered a request whose answer the page may not read. */
  #unreadable = false;
  #hidden = false;
  /** It is being asked whether there are connections left. */
  #crowds = false;

  /**
   * @param {number} retry  attempts before giving up
   * @param {Listener} listener
   */
  constructor(retry, listener) {
    this.#retry = retry;
    this.#listener = listener;
  }

  /** The address, where a browser fetches it. */
  get address() { return ''; }

  /** Whether something was played. */
  get worked() { return this.#worked; }

  /** Whether nobody sees the page: there is no hurry then. */
  get hidden() { return this.#hidden; }
  set hidden(hidden) {
    const seen = this.#hidden && !hidden;
    this.#hidden = hidden;
    if (seen && this.#resting) this.again();
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
      // Not the first time, for an answer that cannot be read looks like none.
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
    this.abort.abort();
  }

  /** Makes a new attempt, after some milliseconds. @param {number} [wait] */
  again(wait = 0) {
    this.pause();
    if (this.#closed) return;
    this.#resting = true;
    this.#timer = setTimeout(() => {
      this.#resting = false;
      this.reconnects++;
      this.connect();
    }, wait);
  }

  /** What came is of no use. @param {string} code */
  broken(code) {
    this.failed(this.abort, code, !this.#worked);
  }

  /** Nothing is awaited any more. */
  rest() {
    this.#resting = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
  }

  /** A frame came: the next failure is a first one. */
  works() {
    if (this.#working) return;
    this.#working = true;
    this.#same.count = 0;
    clearTimeout(this.#timer);
    this.#attempt = this.#refused = 0;
    this.#worked = true;
    this.#listener.state('live');
  }

  /**
   * What shows the server that we may, for this attempt; empty: nothing.
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

  /** Something was asked for. When it does not come soon, nobody publishes. @param {AbortController} [abort] */
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
   * Something happened: the next thing must happen within some milliseconds.
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
   * @param {boolean} [own] it is the page that has no token
   * @param {string} [text] its sentence
   * @param {boolean} [hopeless] the same will come of the same
   */
  failed(abort, code, fatal, own = false, text = '', hopeless = false) {
    if (this.#closed || abort !== this.abort || abort.signal.aborted) return;
    this.pause();
    if (this.#crowded && code === 'stalled') code = 'connections';
    const count = this.#same.code === code ? this.#same.count + 1 : 1;
    this.#same = { code, count };
    hopeless ||= code === 'cors' || code === 'closed' || code === 'unsupported-format';
    fatal ||= hopeless && !this.#worked && !own && count >= SAME;
    // The token may have been too old, or used: the next one need not be.
    if (code === 'forbidden' && !own && this.#listener.token && (this.#kept || this.#refused < (this.#worked ? REFUSALS : 1))) {
      return this.again(this.#kept ? 0 : this.#refused++ && backOff(this.#refused, this.#hidden));
    }
    if (fatal || this.#attempt >= this.#retry) return this.#listener.fail(code, text);
    this.#listener.state(code === 'not-found' || code === 'connections' ? 'waiting' : 'reconnecting', code, own, text);
    // A server that held the question, in case somebody begins, may be asked again at once.
    const held = code === 'not-found' && performance.now() - this.#asked > ANSWER;
    const attempt = this.#attempt++;
    // Who gives the tokens may serve many, and is not to be pressed.
    this.again(backOff(held ? 0 : attempt, this.#hidden || own));
  }
}
