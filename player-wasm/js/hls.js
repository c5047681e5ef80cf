// An HLS playlist and its segments, fetched one after the other.

import { Hls as Follower } from './player_wasm.js';
import { Connection, SILENCE, refusal } from './connection.js';
import { bearer } from './token.js';

const LISTS = { 2: 'unsupported-format', 3: 'unsupported-format' };

/** Loads a playlist for as long as it takes. */
export class Hls extends Connection {
  #url; #latency; #target;
  #before = false;
  /** Nothing came yet since it was opened. */
  #first = true;
  /** It had no end once: what ends it may begin again. */
  #live = false;

  /**
   * @param {string} url
   * @param {number} retry
   * @param {number} latency
   * @param {Promise<any>} ready
   * @param {import('./loader.js').Target} target
   */
  constructor(url, retry, latency, ready, target) {
    super(retry, target);
    this.#url = url;
    this.#latency = latency;
    this.#target = target;
    ready.then(() => this.connect(), () => {});
  }

  /** @override @param {AbortController} abort */
  async open(abort) {
    const { signal } = abort;
    const target = this.#target;
    const follower = new Follower(this.#latency);
    // One token for the attempt: what the playlist names has a session in its address, and asking for the
    // playlist again goes on with it.
    const token = await this.token(abort);
    if (signal.aborted) return;
    let headers = bearer(token);
    let list = this.#url;
    this.#first = true;
    const get = () => this.#get(list, abort, headers);
    for (let fresh = true; ; fresh = false) {
      const response = await (fresh ? this.reach(abort, get) : get());
      list = response.url || list;
      const text = await response.text();
      if (signal.aborted) return;
      const step = follower.playlist(text);
      if (step === 1) {
        list = new URL(follower.uri(), list).href;
        headers = {};
        continue;
      }
      if (step) throw { code: LISTS[/** @type {2 | 3} */ (step)], fatal: step === 3 };
      if (!follower.ended()) this.#live = true;
      // Servers show a live stream's last list for a while: that is no file.
      else if (this.#live && this.#first) throw { code: 'closed' };
      const file = follower.ended() && !this.#live;
      while (follower.advance()) {
        const discontinuity = follower.discontinuity();
        const from = follower.from(), bytes = follower.bytes();
        const range = bytes ? `bytes=${from}-${from + bytes - 1}` : '';
        const segment = await this.#get(new URL(follower.uri(), list).href, abort, range ? { range } : {});
        const reader = /** @type {ReadableStream<Uint8Array>} */ (segment.body).getReader();
        if (this.#first) {
          this.#first = false;
          if (this.#before) target.reconnected();
          this.#before = true;
          if (file) target.file();
        } else if (discontinuity) {
          target.discontinuity();
        }
        for (;;) {
          this.alive(SILENCE, abort);
          const { done, value } = await reader.read();
          if (signal.aborted) return;
          this.rest();
          if (done) break;
          target.data(value);
        }
        target.flush();
        target.data(new Uint8Array());
        if (signal.aborted) return;
        this.works();
        if (file) await target.room();
      }
      if (file) return target.end();
      if (follower.ended()) throw { code: 'closed' };
      await new Promise((resolve) => setTimeout(resolve, follower.reload()));
      if (signal.aborted) return;
    }
  }

  /**
   * @param {string} url
   * @param {AbortController} abort
   * @param {HeadersInit} headers
   */
  async #get(url, abort, headers) {
    // The first playlist comes when there is a stream.
    if (this.#first) this.asked(abort);
    else this.alive(SILENCE, abort);
    try {
      const response = await fetch(url, { headers, signal: abort.signal });
      if (response.ok) return response;
      throw refusal(response.status);
    } finally {
      if (!abort.signal.aborted) this.rest();
    }
  }
}
