// Loads an endless HTTP response or a WebSocket, and connects again when it ends.

import { Connection, SILENCE } from '../../../../net/connection.js';
import { refusal } from '../../../../net/refusal.js';
import { bearer, showing } from '../../../../net/token.js';

/**
 * Receives the data and events of a loader.
 * @typedef {object} Target
 * @property {(bytes: Uint8Array) => void} data
 * @property {(state: import('../../../../net/connection.js').ConnectionState, code?: string, own?: boolean) => void} state
 * @property {() => void} reconnected   the following data is a new stream
 * @property {(fresh: boolean) => void} file the following data has an end; fresh: its times begin at 0
 * @property {() => void} flush         the data so far is complete
 * @property {() => void} discontinuity the following data has other timestamps
 * @property {(at: number) => void} place the following data begins at a media time
 * @property {() => number} end_time    media time up to which all data has come
 * @property {(begin: number, end: number, file: boolean) => void} window media times that the server has
 * @property {boolean} native whether the browser may play HLS by itself
 * @property {(mime: string) => boolean} plays whether the browser has the codecs
 * @property {(code: string, text?: string) => void} warn
 * @property {(kind: import('../messages.js').Kind | 'page') => void} other the address is of another kind
 * @property {(span: number) => boolean} whole the data ended after so many seconds: whether that is a file
 * @property {() => Promise<void>} room resolves when more is wanted
 * @property {() => void} end
 * @property {(code: string, text?: string) => void} fail
 * @property {(unspent?: boolean) => Promise<string>} [token]
 */

/** Milliseconds in which a server refuses a request. A server that takes longer is waiting for a stream. */
const ANSWERED = 3_000;

/** Size in bytes of the slices in which a file is passed on. */
const SLICE = 128 << 10;

/** Loads an address and reconnects until it is closed. */
export class Loader extends Connection {
  #url; #kind; #ready; #target;
  /** Whether data arrived on this connection. */
  #flowing = false;
  #before = false;
  /** Bytes of a file that were passed on, and the size of the file. */
  #at = 0;
  #size = '';
  /** Time of the first bytes of the connection. */
  #since = 0;
  /** Whether the last WebSocket could not be opened. */
  #missed = false;

  /**
   * Opens the connection at once, and passes data on when the engine is ready.
   * @param {string} url
   * @param {string} kind
   * @param {number} retry
   * @param {Promise<unknown>} ready
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

  /** @override */
  get address() { return this.#kind === 'ws-flv' ? '' : this.#url; }

  /** Loads a file from its beginning, because it has no index for seeks. */
  rewind() {
    this.#at = 0;
    this.#before = false;
    this.again();
    return true;
  }

  /** @override @param {AbortController} abort */
  async open(abort) {
    this.#flowing = false;
    if (this.#missed) {
      // Browsers delay WebSockets after several failures. So an HTTP request finds out whether there is a server.
      this.asked(abort);
      await this.#there(abort);
    }
    const token = await this.token(abort);
    if (abort.signal.aborted) return;
    this.asked();
    await (this.#kind === 'ws-flv' ? this.#socket(abort, token) : this.#fetch(abort, token));
  }

  /** @param {AbortController} abort @param {string} token */
  async #fetch(abort, token) {
    const target = this.#target;
    // Continue a file whose connection broke.
    const from = this.#at;
    const headers = { ...bearer(token), ...(from && { range: `bytes=${from}-` }) };
    const response = await this.reach(abort, () => fetch(this.#url, { signal: abort.signal, cache: 'no-store', headers }));
    if (!response.ok) {
      response.body?.cancel().catch(() => {});
      throw refusal(response.status, response);
    }
    const { headers: given } = response;
    const length = given.get('content-length') ?? '';
    let skip = 0;
    if (from && response.status !== 206) {
      if (length === this.#size) skip = from;
      else this.#at = 0;
    } else if (!from) {
      this.#size = length;
    }
    const type = given.get('content-type') ?? '';
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    await this.#ready;
    for (;;) {
      const { done, value } = await reader.read();
      if (abort.signal.aborted) return;
      if (done) break;
      if (!this.#flowing && !this.#at) {
        const kind = sniff(value, type);
        if (kind && kind !== this.#kind) {
          this.pause();
          return target.other(kind);
        }
      }
      if (skip >= value.length) {
        skip -= value.length;
        this.alive(SILENCE);
        continue;
      }
      // A length means that this is a file. Without a length it is a file if more of it came than a live stream has.
      const file = target.whole(-1) || !!this.#size;
      if (!file) {
        this.#data(value, false);
        continue;
      }
      // The data may be minutes of media, so it is passed on in slices.
      for (; skip < value.length; skip += SLICE) {
        const slice = value.subarray(skip, skip + SLICE);
        this.#data(slice, true);
        this.#at += slice.length;
        this.rest();
        await target.room();
        if (abort.signal.aborted) return;
      }
      skip = 0;
      this.alive(SILENCE);
    }
    if (!this.#flowing || !target.whole((performance.now() - this.#since) / 1000) && !this.#size) throw { code: 'closed' };
    this.rest();
    target.end();
  }

  /** @param {AbortController} abort @param {string} token */
  async #socket(abort, token) {
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
    // 4404 is the gateway's close code for 404.
    throw { code: this.#flowing || code === 1000 ? 'closed' : code === 4404 ? 'not-found' : code === 1008 ? 'forbidden' : 'network' };
  }

  /** Sends a HEAD request to the server's origin. Throws if no server answers. @param {AbortController} abort */
  async #there(abort) {
    const { origin } = new URL(this.#url.replace('ws', 'http'));
    await fetch(origin, { method: 'HEAD', mode: 'no-cors', signal: abort.signal });
  }

  /** Finds out why a WebSocket was refused, from the status of the same request over HTTP. @param {AbortController} abort */
  async #why(abort) {
    await this.reach(abort, () => this.#there(abort));
    const token = await this.token(abort, true);
    const signal = AbortSignal.any?.([abort.signal, AbortSignal.timeout(ANSWERED)]) ?? abort.signal;
    const response = await fetch(this.#url.replace('ws', 'http'), { method: 'HEAD', signal, headers: bearer(token) }).catch(() => null);
    const why = refusal(response?.status ?? 0, response ?? undefined);
    if (why.fatal || why.unspent) throw why;
  }

  /** @param {Uint8Array} bytes @param {boolean} file */
  #data(bytes, file) {
    const target = this.#target;
    if (!this.#flowing) {
      this.#flowing = true;
      this.#since = performance.now();
      if (file && !this.#at) target.file(!this.#before);
      if (this.#before && !this.#at) target.reconnected();
      this.#before = true;
    }
    this.alive(SILENCE);
    target.data(bytes);
  }
}

/**
 * Returns the kind of a response, recognized by its first bytes; empty if unknown.
 * @param {Uint8Array} bytes
 * @param {string} type its Content-Type
 * @returns {import('../messages.js').Kind | 'page' | ''}
 */
function sniff(bytes, type) {
  const text = String.fromCharCode(...bytes.subarray(0, 512));
  if (/^(\xef\xbb\xbf)?#EXTM3U/.test(text) || /mpegurl/i.test(type)) return 'hls';
  if (text.startsWith('FLV')) return 'flv';
  if (bytes[0] === 0x47 && (bytes.length < 189 || bytes[188] === 0x47)) return 'ts';
  if (/^....ftyp|^\x1aE\xdf\xa3|^OggS|^ID3|^RIFF|^fLaC/s.test(text)) return 'native';
  return /^\s*<|^\s*\{/.test(text) || /html/.test(type) ? 'page' : '';
}
