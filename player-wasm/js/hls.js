// An HLS playlist and its segments, fetched one after the other.

import { Hls as Follower } from './player_wasm.js';
import { ANSWER, PATIENCE, SILENCE, codeOfStatus } from './loader.js';
import { backOff } from './retry.js';

const LISTS = { 2: 'unsupported-format', 3: 'unsupported-format' };

/** Loads a playlist for as long as it takes. */
export class Hls {
  reconnects = 0;
  #url; #retry; #latency; #target;
  #abort = new AbortController();
  #attempt = 0;
  #again = 0;
  #watch = 0;
  #closed = false;
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
    this.#url = url;
    this.#retry = retry;
    this.#latency = latency;
    this.#target = target;
    ready.then(() => this.#run(), () => {});
  }

  close() {
    this.#closed = true;
    this.pause();
  }

  pause() {
    clearTimeout(this.#again);
    clearTimeout(this.#watch);
    this.#abort.abort();
  }

  /** @param {number} [wait] */
  again(wait = 0) {
    this.pause();
    if (this.#closed) return;
    this.#again = setTimeout(() => {
      this.reconnects++;
      this.#run();
    }, wait);
  }

  /** @param {string} code */
  broken(code) {
    this.#failed(this.#abort, code);
  }

  #run() {
    if (this.#closed) return;
    const abort = this.#abort = new AbortController();
    this.#follow(abort).catch((error) => this.#failed(abort, error?.code ?? 'network', error?.fatal));
  }

  /** @param {AbortController} abort @param {string} code @param {boolean} [fatal] */
  #failed(abort, code, fatal) {
    if (this.#closed || abort !== this.#abort || abort.signal.aborted) return;
    this.pause();
    if (fatal || this.#attempt >= this.#retry) return this.#target.fail(code);
    this.#target.state(code === 'not-found' ? 'waiting' : 'reconnecting', code);
    this.again(backOff(this.#attempt++));
  }

  /** The next thing must happen within some milliseconds. @param {AbortController} abort @param {number} limit */
  #alive(abort, limit) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#failed(abort, 'stalled'), limit);
  }

  /** @param {AbortController} abort */
  async #follow(abort) {
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
          this.#alive(abort, SILENCE);
          const { done, value } = await reader.read();
          if (signal.aborted) return;
          clearTimeout(this.#watch);
          if (done) break;
          target.data(value);
        }
        target.flush();
        target.data(new Uint8Array());
        if (signal.aborted) return;
        target.state('live');
        this.#attempt = 0;
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
    this.#alive(abort, this.#first ? PATIENCE : SILENCE);
    const timer = setTimeout(() => {
      if (this.#first && !abort.signal.aborted) this.#target.state('waiting', 'not-found');
    }, ANSWER);
    try {
      const response = await fetch(url, { headers, signal: abort.signal });
      if (response.ok) return response;
      throw { code: codeOfStatus(response.status), fatal: response.status === 401 || response.status === 403 };
    } finally {
      clearTimeout(timer);
      clearTimeout(this.#watch);
    }
  }
}
