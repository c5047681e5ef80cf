// Loads an HLS playlist and its segments, one after the other.

import { Hls as Follower } from '../../../../player_ts.js';
import { Connection, SILENCE } from '../../../../net/connection.js';
import { refusal } from '../../../../net/refusal.js';
import { textOf } from './text.js';
import { unsupported } from './unsupported.js';
import { backOff } from '../../../../net/retry.js';
import { bearer } from '../../../../net/token.js';

/** Number of attempts to fetch a segment: of a live stream, and of a recording. */
const TRIES = 2;
const TRIES_FILE = 4;
/** Number of segments in a row that may be missing. */
const MISSING = 3;
/** Age in milliseconds at which a live playlist is loaded again before the next segment is. */
const STALE = 10_000;

/** Loads a playlist and its segments until it is closed. */
export class Hls extends Connection {
  #url; #latency; #target; #unsupported;
  /** @type {Follower | null} */ #follower = null;
  /** @type {import('./variants.js').Variants | null} */ #variants = null;
  /** The variant that plays. @type {import('./variants.js').Variant | null} */ #variant = null;
  #before = false;
  /** Whether no data has arrived since the source was opened. */
  #first = true;
  /** Whether the playlist once had no end. Such a stream may start again after its end. */
  #live = false;
  /** Whether the stream is a recording. */
  #file = false;
  /** Whether the viewer is behind live. Segments are then fetched when they are needed. */
  #behind = false;
  /** Whether the viewer wants to return to live. */
  #toLive = false;
  /** Whether segments are MPEG-TS. */
  #known = false;
  /** Whether a segment is being fetched. */
  #loading = false;
  /** Number of missing segments in a row. */
  #missing = 0;
  /** Aborts the current request when the viewer seeks. */
  #hop = new AbortController();

  /**
   * @param {string} url
   * @param {number} retry
   * @param {import('../../../../types/attributes.js').Latency} latency
   * @param {Promise<unknown>} ready
   * @param {import('../flv/loader.js').Target} target
   */
  constructor(url, retry, latency, ready, target) {
    super(retry, target);
    this.#url = url;
    this.#latency = latency;
    this.#target = target;
    this.#unsupported = unsupported(target);
    ready.then(() => this.connect(), () => {});
  }

  /** @override */
  get address() { return this.#url; }

  /** Seeks to a media time. Returns whether the media at this time can be fetched. @param {number} time */
  seek(time) {
    const follower = this.#follower;
    if (!follower || !this.#before) return false;
    follower.seek(time);
    this.#behind = !this.#file;
    this.#leave();
    return true;
  }

  /** Returns to live. Returns whether the media there must be fetched. */
  goLive() {
    if (!this.#behind) return false;
    this.#behind = false;
    this.#toLive = true;
    this.#leave();
    return true;
  }

  #leave() {
    this.#loading = false;
    this.#hop.abort();
    this.#hop = new AbortController();
  }

  /** @override @param {AbortController} abort */
  async open(abort) {
    const { signal } = abort;
    const target = this.#target;
    // Keep the position that the viewer has chosen.
    const kept = this.#file || this.#behind ? this.#follower : null;
    const follower = this.#follower = kept ?? new Follower(this.#latency);
    if (this.#loading && kept) kept.again();
    this.#loading = false;
    this.#first = true;
    this.#hop = new AbortController();
    signal.addEventListener('abort', () => this.#hop.abort());
    // The attempt needs one token: the segments have a session in their addresses, and a new request for the
    // playlist continues that session.
    const token = await this.token(abort);
    if (signal.aborted) return;
    let headers = bearer(token);
    const master = this.#url;
    let list = master;
    let base = master;
    for (let fresh = true; ; fresh = false) {
      const get = () => this.#get(list, abort, headers, signal);
      const response = await (fresh ? this.reach(abort, get) : get());
      list = response.url || list;
      const text = await textOf(response);
      if (signal.aborted) return;
      const read = performance.now();
      const step = follower.playlist(text);
      if (step === 'master') {
        base = list;
        const { Variants } = await import('./variants.js').catch(() => { throw { code: 'network' }; });
        if (signal.aborted) return;
        this.#variants ??= new Variants(follower.variants(), target.plays);
        this.#variant = this.#variants.choose();
        list = new URL(this.#variant.uri, base).href;
        headers = {};
        continue;
      }
      // A retry does not help if the response is not a playlist.
      if (step === 'invalid') throw { code: 'unsupported-format', fatal: !this.#before && text !== '' };
      if (this.#toLive) follower.go_live();
      this.#toLive = false;
      /** @type {import('../../../../player_ts.js').HlsFeature[]} */ const features = [];
      for (let feature; (feature = follower.foreign());) features.push(feature);
      if (this.#unsupported(features)) return;
      if (!follower.ended()) this.#live = true;
      // Servers keep the last playlist of a live stream for a while. It is not a recording.
      else if (this.#live && this.#first && !this.#behind) throw { code: 'closed' };
      // A stream that has ended is a recording for a viewer behind live.
      const file = this.#file = follower.ended() && (!this.#live || this.#behind);
      target.window(follower.begin(), follower.end(), file);
      if (!kept && this.#before && this.#first) follower.joined(target.end_time());
      for (;;) {
        const hop = this.#hop;
        const another = this.#variants?.choose();
        if (another && another !== this.#variant) {
          this.#variant = another;
          list = new URL(another.uri, base).href;
          follower.skip();
          break;
        }
        if (!file && (this.#toLive || performance.now() - read > STALE)) break;
        if (follower.advance()) {
          await this.#segment(abort, hop, new URL(follower.uri(), list).href, kept !== null);
          if (signal.aborted) return;
        } else if (file) {
          // The viewer may still seek back.
          this.rest();
          target.end();
          await wait(hop.signal);
          if (signal.aborted) return;
        } else {
          if (follower.ended()) throw { code: 'closed' };
          await wait(hop.signal, follower.reload());
          if (signal.aborted) return;
          break;
        }
      }
    }
  }

  /**
   * Fetches the next segment of the follower, with several attempts if necessary.
   * @param {AbortController} abort of the attempt
   * @param {AbortController} hop
   * @param {string} url
   * @param {boolean} kept whether the attempt continues the last one
   */
  async #segment(abort, hop, url, kept) {
    const follower = /** @type {Follower} */ (this.#follower);
    this.#loading = true;
    for (let tries = 1; ; tries++) {
      try {
        await this.#load(abort, hop.signal, url, kept, follower.placed() || tries > 1);
        this.#missing = 0;
        break;
      } catch (error) {
        const { code, fatal, status } = /** @type {{ code?: string, fatal?: boolean, status?: number }} */ (error);
        if (hop.signal.aborted) break;
        // Without an answer, the network has failed. The next attempt continues with this segment.
        if (fatal || !status) throw error;
        if (tries < (this.#file ? TRIES_FILE : TRIES)) {
          this.rest();
          await wait(hop.signal, backOff(tries));
          if (hop.signal.aborted) break;
          continue;
        }
        if (code !== 'not-found') throw error;
        if (++this.#missing > MISSING) throw this.#file ? { code: 'segment-missing', fatal: true } : error;
        follower.skip();
        this.#target.warn('segment-missing');
        break;
      }
    }
    // The next segment may already be loading.
    if (!hop.signal.aborted) this.#loading = false;
  }

  /**
   * @param {AbortController} abort of the attempt
   * @param {AbortSignal} signal
   * @param {string} url
   * @param {boolean} kept
   * @param {boolean} placed
   */
  async #load(abort, signal, url, kept, placed) {
    const follower = /** @type {Follower} */ (this.#follower);
    const target = this.#target;
    const from = follower.from(), bytes = follower.bytes();
    const segment = await this.#get(url, abort, bytes ? { range: `bytes=${from}-${from + bytes - 1}` } : {}, signal);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (segment.body).getReader();
    if (this.#first && this.#before && !kept) target.reconnected();
    if (this.#first && this.#file) target.file(false);
    if (placed) target.place(follower.start());
    else if (!this.#first && follower.discontinuity()) target.discontinuity();
    this.#first = false;
    this.#before = true;
    let size = 0, spent = 0;
    for (;;) {
      if (this.#file || this.#behind) {
        this.rest();
        await target.room();
        if (signal.aborted) throw signal.reason;
      }
      this.alive(SILENCE, abort);
      const asked = performance.now();
      const { done, value } = await reader.read();
      if (signal.aborted) throw signal.reason;
      this.rest();
      if (done) break;
      if (!this.#known && value.length && value[0] !== 0x47) {
        // Packed audio has no container, and may begin with an ID3 tag.
        const audio = value[0] === 0xff || (value[0] === 0x49 && value[1] === 0x44);
        if (!this.#unsupported(audio ? ['packed audio'] : [])) throw { code: 'unsupported-format', fatal: true };
        return this.pause();
      }
      this.#known = true;
      spent += performance.now() - asked;
      size += value.length;
      target.data(value);
    }
    this.#variants?.loaded(size, spent);
    target.flush();
    target.data(new Uint8Array());
    follower.finished(target.end_time());
  }

  /**
   * @param {string} url
   * @param {AbortController} abort of the attempt
   * @param {HeadersInit} headers
   * @param {AbortSignal} signal
   */
  async #get(url, abort, headers, signal) {
    // A server may hold the request for the first playlist until the stream starts.
    if (this.#first) this.asked(abort);
    else this.alive(SILENCE, abort);
    try {
      const response = await fetch(url, { headers, signal });
      if (response.ok) return response;
      throw refusal(response.status, response);
    } finally {
      if (!abort.signal.aborted) this.rest();
    }
  }
}

/**
 * Waits for some milliseconds, or until the signal aborts.
 * @param {AbortSignal} signal
 * @param {number} [ms]
 * @returns {Promise<void>}
 */
const wait = (signal, ms = 2 ** 31 - 1) => new Promise((resolve) => {
  const done = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', done);
    resolve();
  };
  const timer = setTimeout(done, signal.aborted ? 0 : ms);
  signal.addEventListener('abort', done);
});
