// One endless response or WebSocket, opened again and again.

import { Connection, SILENCE, refusal } from './connection.js';
import { bearer, showing } from './token.js';

/**
 * What a loader tells.
 * @typedef {object} Target
 * @property {(bytes: Uint8Array) => void} data
 * @property {(state: string, code?: string, own?: boolean) => void} state
 * @property {() => void} reconnected   what follows is a new stream
 * @property {() => void} file          what follows has an end
 * @property {() => void} flush         what came is a whole
 * @property {() => void} discontinuity what follows has other times
 * @property {() => Promise<void>} room resolves when more is wanted
 * @property {() => void} end
 * @property {(code: string, text?: string) => void} fail
 * @property {() => Promise<string>} [token]
 */

/** Whoever refuses does so within this many milliseconds; who waits for a stream does not refuse. */
const ANSWERED = 3_000;

/** Loads an address for as long as it takes. */
export class Loader extends Connection {
  #url; #kind; #ready; #target;
  /** Of the connection: something came. */
  #flowing = false;
  #before = false;
  /** The last handshake of a WebSocket came to nothing. */
  #missed = false;

  /**
   * Opens the connection at once; what comes is handed on when the engine is ready.
   * @param {string} url
   * @param {string} kind
   * @param {number} retry
   * @param {Promise<any>} ready
   * @param {Target} target
   */
  constructor(url, kind, retry, ready, target) {
    super(retry, target);
    this.#url = url;
    this.#kind = kind;
    this.#ready = ready;
    this.#target = target;
    this.connect();
  }

  /** @override @param {AbortController} abort */
  async open(abort) {
    this.#flowing = false;
    const token = await this.token(abort);
    if (abort.signal.aborted) return;
    this.asked();
    await (this.#kind === 'ws-flv' ? this.#socket(abort, token) : this.#fetch(abort, token));
  }

  /** @param {AbortController} abort @param {string} token */
  async #fetch(abort, token) {
    const response = await fetch(this.#url, { signal: abort.signal, cache: 'no-store', headers: bearer(token) });
    if (!response.ok) {
      response.body?.cancel().catch(() => {});
      throw refusal(response.status);
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
    if (!file || !this.#flowing) throw { code: 'closed' };
    this.rest();
    this.#target.end();
  }

  /** @param {AbortController} abort @param {string} token */
  async #socket(abort, token) {
    // Browsers let whoever was in vain too often wait for seconds. Is there a server at all?
    const { origin } = new URL(this.#url.replace('ws', 'http'));
    if (this.#missed) await fetch(origin, { method: 'HEAD', mode: 'no-cors', signal: abort.signal });
    if (abort.signal.aborted) return;
    const socket = new WebSocket(showing(this.#url, token));
    socket.binaryType = 'arraybuffer';
    abort.signal.addEventListener('abort', () => socket.close());
    /** @type {ArrayBuffer[] | null} */
    let early = [];
    socket.onmessage = ({ data }) => {
      if (abort.signal.aborted || !(data instanceof ArrayBuffer)) return;
      if (early) early.push(data);
      else this.#data(new Uint8Array(data), false);
    };
    this.#missed = true;
    socket.onopen = () => { this.#missed = false; };
    const closed = new Promise((resolve) => { socket.onclose = resolve; });
    await this.#ready;
    for (const data of early) if (!abort.signal.aborted) this.#data(new Uint8Array(data), false);
    early = null;
    const { code } = await closed;
    if (this.#missed && !abort.signal.aborted) await this.#why(abort);
    // 4404 is the gateway's word for HTTP's 404.
    throw { code: this.#flowing || code === 1000 ? 'closed' : code === 4404 ? 'not-found' : code === 1008 ? 'forbidden' : 'network' };
  }

  /** A refused handshake looks like any other failure; the same over HTTP tells the status. @param {AbortController} abort */
  async #why(abort) {
    const token = await this.token(abort);
    const signal = AbortSignal.any?.([abort.signal, AbortSignal.timeout(ANSWERED)]) ?? abort.signal;
    const response = await fetch(this.#url.replace('ws', 'http'), { method: 'HEAD', signal, headers: bearer(token) }).catch(() => null);
    const why = refusal(response?.status ?? 0);
    if (why.fatal) throw why;
  }

  /** @param {Uint8Array} bytes @param {boolean} file */
  #data(bytes, file) {
    const target = this.#target;
    if (!this.#flowing) {
      this.#flowing = true;
      this.rest();
      if (this.#before) target.reconnected();
      this.#before = true;
      if (file) target.file();
      this.works();
    }
    this.alive(SILENCE);
    target.data(bytes);
  }
}
