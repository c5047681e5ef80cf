// One endless response or WebSocket, opened again and again.

import { backOff } from './retry.js';

/** Nothing for this long, once something came: the server has stalled. */
export const SILENCE = 6_000;
/** No answer at all: servers hold a request for 15 s until somebody publishes. */
export const PATIENCE = 20_000;
/** No answer for this long means that there is nobody yet. */
export const ANSWER = 1_500;

/**
 * What a loader tells.
 * @typedef {object} Target
 * @property {(bytes: Uint8Array) => void} data
 * @property {(state: string, code?: string) => void} state
 * @property {() => void} reconnected   what follows is a new stream
 * @property {() => void} file          what follows has an end
 * @property {() => void} flush         what came is a whole
 * @property {() => void} discontinuity what follows has other times
 * @property {() => Promise<void>} room resolves when more is wanted
 * @property {() => void} end
 * @property {(code: string, text?: string) => void} fail
 */

/** An HTTP status as an error code. @param {number} status */
export const codeOfStatus = (status) =>
  status === 404 ? 'not-found' : status === 401 || status === 403 ? 'forbidden' : 'http';

/** Loads an address for as long as it takes. */
export class Loader {
  reconnects = 0;
  #url; #kind; #retry; #ready; #target;
  /** Ends the connection. */
  #abort = new AbortController();
  #attempt = 0;
  #timer = 0;
  #watch = 0;
  #closed = false;
  /** Of the connection: something came. */
  #flowing = false;
  #before = false;

  /**
   * Opens the connection at once; what comes is handed on when the engine is ready.
   * @param {string} url
   * @param {string} kind
   * @param {number} retry
   * @param {Promise<any>} ready
   * @param {Target} target
   */
  constructor(url, kind, retry, ready, target) {
    this.#url = url;
    this.#kind = kind;
    this.#retry = retry;
    this.#ready = ready;
    this.#target = target;
    this.#connect();
  }

  close() {
    this.#closed = true;
    this.pause();
  }

  /** Ends the connection; {@link again} opens a new one. */
  pause() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    this.#abort.abort();
  }

  /** Opens a new connection, after some milliseconds. @param {number} [wait] */
  again(wait = 0) {
    this.pause();
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.reconnects++;
      this.#connect();
    }, wait);
  }

  /** What came is of no use. @param {string} code */
  broken(code) {
    this.#failed(this.#abort, code);
  }

  #connect() {
    const abort = this.#abort = new AbortController();
    this.#flowing = false;
    this.#alive(PATIENCE);
    this.#timer = setTimeout(() => {
      if (!this.#flowing) this.#target.state('waiting', 'not-found');
    }, ANSWER);
    const run = this.#kind === 'ws-flv' ? this.#socket(abort) : this.#fetch(abort);
    run.catch((error) => this.#failed(abort, error?.code ?? 'network', error?.fatal));
  }

  /** @param {AbortController} abort */
  async #fetch(abort) {
    const response = await fetch(this.#url, { signal: abort.signal, cache: 'no-store' });
    if (!response.ok) {
      const { status } = response;
      response.body?.cancel().catch(() => {});
      throw { code: codeOfStatus(status), fatal: status === 401 || status === 403 };
    }
    // A length says that this is a file and no live stream.
    const file = response.headers.has('content-length');
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    await this.#ready;
    for (;;) {
      const { done, value } = await reader.read();
      if (abort.signal.aborted) return;
      if (done) break;
      this.#data(value, file);
      if (file) await this.#target.room();
    }
    if (file && this.#flowing) {
      clearTimeout(this.#watch);
      this.#target.end();
    } else {
      this.#failed(abort, 'closed');
    }
  }

  /** @param {AbortController} abort */
  async #socket(abort) {
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    abort.signal.addEventListener('abort', () => socket.close());
    /** @type {ArrayBuffer[] | null} */
    let early = [];
    socket.onmessage = ({ data }) => {
      if (abort.signal.aborted || !(data instanceof ArrayBuffer)) return;
      if (early) early.push(data);
      else this.#data(new Uint8Array(data), false);
    };
    // A refused handshake looks like any other failure: browsers do not tell the status.
    const closed = new Promise((resolve) => { socket.onclose = resolve; });
    await this.#ready;
    for (const data of early) if (!abort.signal.aborted) this.#data(new Uint8Array(data), false);
    early = null;
    const { code } = await closed;
    // 4404 is the gateway's word for HTTP's 404.
    this.#failed(abort, this.#flowing || code === 1000 ? 'closed' : code === 4404 ? 'not-found' : code === 1008 ? 'forbidden' : 'network');
  }

  /** @param {Uint8Array} bytes @param {boolean} file */
  #data(bytes, file) {
    const target = this.#target;
    if (!this.#flowing) {
      this.#flowing = true;
      clearTimeout(this.#timer);
      this.#attempt = 0;
      if (this.#before) target.reconnected();
      this.#before = true;
      if (file) target.file();
      target.state('live');
    }
    this.#alive(SILENCE);
    target.data(bytes);
  }

  /** Something happened: the next thing must happen within some milliseconds. @param {number} limit */
  #alive(limit) {
    clearTimeout(this.#watch);
    const abort = this.#abort;
    this.#watch = setTimeout(() => this.#failed(abort, 'stalled'), limit);
  }

  /** @param {AbortController} abort  of the connection that failed @param {string} code @param {boolean} [fatal] */
  #failed(abort, code, fatal) {
    if (this.#closed || abort !== this.#abort || abort.signal.aborted) return;
    this.pause();
    if (fatal || this.#attempt >= this.#retry) return this.#target.fail(code);
    this.#target.state(code === 'not-found' ? 'waiting' : 'reconnecting', code);
    this.again(backOff(this.#attempt++));
  }
}
