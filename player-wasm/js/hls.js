// An HLS playlist and its segments, fetched one after the other.

import { Hls as Follower } from './player_wasm.js';
import { Connection, SILENCE, refusal } from './connection.js';

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
    let list = this.#url;
    this.#first = true;
    for (;;) {
      const response = await this.#get(list, abort);
      list = response.url || list;
      const text = await response.text();
      if (signal.aborted) return;
      const step = follower.playlist(text);
      if (step === 1) {
        list = new URL(follower.uri(), list).href;
        continue;
      }
      if (step) throw { code: LISTS[/** @type {2 | 3} */ (step)], fatal: step === 3 };
      if (!follower.ended()) this.#live = true;
      // Servers show a live stream's last list for a while: that is no file.
      else if (this.#live && this.#first) throw { code: 'closed' };
      const file = follower.ended() && !this.#live;
      while (follower.advance()) {
        const discontinuity = follower.discontinuity();
        const segment = await this.#get(new URL(follower.uri(), list).href, abort, follower.from(), follower.bytes());
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
   * @param {number} [from]
   * @param {number} [bytes]  of the resource; 0: all of it
   */
  async #get(url, abort, from = 0, bytes = 0) {
    /** @type {Record<string, string>} */
    const headers = bytes ? { range: `bytes=${from}-${from + bytes - 1}` } : {};
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
