// One endless response or WebSocket, opened again and again.

import { Connection, SILENCE, refusal } from './connection.js';

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

/** Loads an address for as long as it takes. */
export class Loader extends Connection {
  #url; #kind; #ready; #target;
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
    this.asked();
    await (this.#kind === 'ws-flv' ? this.#socket(abort) : this.#fetch(abort));
  }

  /** @param {AbortController} abort */
  async #fetch(abort) {
    const response = await fetch(this.#url, { signal: abort.signal, cache: 'no-store' });
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
    throw { code: this.#flowing || code === 1000 ? 'closed' : code === 4404 ? 'not-found' : code === 1008 ? 'forbidden' : 'network' };
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
