// One playlist and its SourceBuffer: fetches the segments that the playhead needs.

import { refusal } from '../../../../../net/refusal.js';
import { backOff } from '../../../../../net/retry.js';
import { textOf } from '../text.js';
import { readInit, timeOf } from './boxes.js';
import { follow, readList } from './list.js';

/** Seconds that are fetched ahead of the playhead, and kept behind it. */
const AHEAD = 20;
const BEHIND = 30;
/** Attempts at a segment. */
const TRIES = 4;
/** Number of segments that are fetched before a seek's own, in which there is no key frame before its time. */
const BACK = 10;
/** Bytes of a segment at most. */
const LARGEST = 256 << 20;
/** Times that differ by less are the same, in seconds. */
const SAME = 0.1;

/** Follows one playlist. */
export class Feed {
  #url; #headers; #signal; #latency; #main;
  /** @type {import('./list.js').List | null} */ #list = null;
  #loaded = 0;
  #changed = true;
  /** @type {SourceBuffer | null} */ #buffer = null;
  #mime = '';
  /** The initialisation section that was appended last. */
  #map = '';
  /** @type {import('./boxes.js').Track[]} */ #tracks = [];
  /** The segment that was appended last; null after a seek. @type {import('./list.js').Segment | null} */ #last = null;
  /** What is added to the times in the segments; undefined before the first one. @type {number | undefined} */ offset;
  /** Ends what goes on for an earlier place. */
  #hop = new AbortController();
  /** The time of a seek that has nothing in the buffer yet, and how many segments before it were fetched. */
  #wanted = { time: 0, back: 0, open: true };
  /** @type {string[]} */ codecs = [];
  bitrate = 0;
  /** All segments were appended, and no more will come. */
  done = false;

  /**
   * @param {string} url
   * @param {Record<string, string>} headers for the first request
   * @param {AbortSignal} signal
   * @param {import('../../../../../types/attributes.js').Latency} latency
   * @param {Feed} [main] the feed whose times this one shares
   */
  constructor(url, headers, signal, latency, main) {
    this.#url = url;
    this.#headers = headers;
    this.#signal = signal;
    this.#latency = latency;
    this.#main = main;
    signal.addEventListener('abort', () => this.#hop.abort());
  }

  /** Nothing is being appended. */
  get idle() { return !this.#buffer?.updating; }

  /** Loads the playlist. @param {{ text: string, url: string }} [loaded] */
  async load(loaded) {
    let text, url = this.#url;
    if (loaded) {
      ({ text, url } = loaded);
    } else {
      const response = await this.#get(url, '', this.#headers, this.#signal);
      url = response.url || url;
      text = await textOf(response);
    }
    this.#headers = {};
    this.#url = url;
    const list = readList(text, url);
    if (!list || list.encrypted) throw { code: 'unsupported-format', fatal: true, say: list ? 'The playlist is encrypted.' : '' };
    follow(list, this.#list);
    this.#changed = list.segments.at(-1)?.number !== this.#list?.segments.at(-1)?.number;
    this.#list = list;
    this.#loaded = performance.now();
  }

  /** The times that the server has, and whether no more will come. */
  window() {
    const segments = this.#list?.segments ?? [], last = segments.at(-1);
    return { begin: segments[0]?.start ?? 0, end: last ? last.start + last.duration : 0, ended: !!this.#list?.ended };
  }

  /** The time to begin with: the start of what has an end, or near live. */
  first() {
    const { begin, end, ended } = this.window();
    if (ended) return begin;
    const longest = Math.max(0, ...(this.#list?.segments ?? []).slice(-4).map(({ duration }) => duration));
    const back = { realtime: 1, low: 2, normal: 3 }[this.#latency] * Math.min(Math.max(longest, 1), 6);
    return Math.max(begin, end - back);
  }

  /** The end of the last buffered range. */
  buffered() {
    const ranges = this.#buffer?.buffered;
    return ranges?.length ? ranges.end(ranges.length - 1) : 0;
  }

  /** Adds the SourceBuffer. @param {MediaSource} source @param {(mime: string) => boolean} plays */
  async begin(source, plays) {
    const segment = await this.#some();
    const init = await this.#init(segment);
    if (!plays(init.mime)) throw { code: 'codec-unsupported', fatal: true, say: init.mime };
    const buffer = source.addSourceBuffer(init.mime);
    buffer.mode = 'segments';
    [this.#buffer, this.#mime, this.codecs] = [buffer, init.mime, init.codecs];
    this.#wanted = { time: this.#main ? this.#main.first() : this.first(), back: 0, open: true };
  }

  /** Waits for a first segment. */
  async #some() {
    for (;;) {
      const segment = this.#list?.segments[0];
      if (segment) return segment;
      if (this.#list?.ended) throw { code: 'not-found' };
      await wait(1000, this.#signal);
      await this.load();
    }
  }

  /** @param {import('./list.js').Segment} segment */
  async #init({ map }) {
    if (!map) throw { code: 'unsupported-format', fatal: true };
    const data = await this.#bytes(map, this.#signal);
    const init = readInit(data);
    if (!init) throw { code: 'unsupported-format', fatal: true };
    return { ...init, data, key: map.url + map.range };
  }

  /** Goes on at another time. @param {number} time */
  seek(time) {
    const ranges = this.#buffer?.buffered;
    for (let n = 0; ranges && n < ranges.length; n++) {
      // What is there is played; the segments after it follow.
      if (ranges.start(n) <= time && time < ranges.end(n)) {
        if (this.#last && Math.abs(this.#last.start + this.#last.duration - ranges.end(n)) < 1) return;
        time = ranges.end(n);
        break;
      }
    }
    this.#last = null;
    this.done = false;
    this.#wanted = { time, back: 0, open: true };
    this.#hop.abort();
    this.#hop = new AbortController();
    if (this.#signal.aborted) this.#hop.abort();
  }

  /**
   * Appends segments until the attempt ends.
   * @param {HTMLVideoElement} video
   * @param {() => void} appended
   */
  async run(video, appended) {
    while (!this.#signal.aborted) {
      const hop = this.#hop.signal;
      try {
        await this.#step(video, hop, appended);
      } catch (error) {
        if (!hop.aborted || this.#signal.aborted) throw error;
      }
    }
  }

  /** @param {HTMLVideoElement} video @param {AbortSignal} hop @param {() => void} appended */
  async #step(video, hop, appended) {
    const segment = this.#next();
    const { ended } = this.window();
    if (!segment && ended) {
      this.done = true;
      return wait(500, hop);
    }
    const due = performance.now() - this.#loaded >= this.#reload();
    if (!ended && (due || !segment)) {
      if (!due) return wait(Math.min(this.#reload() - (performance.now() - this.#loaded), 1000), hop);
      await this.load();
      return undefined;
    }
    if (!segment) return undefined;
    const ahead = segment.start - video.currentTime;
    // After a seek the playhead may not be there yet.
    if (!this.#wanted.open && ahead > AHEAD || this.#main && this.#main.offset === undefined) return wait(200, hop);
    await this.#append(segment, hop);
    if (hop.aborted) return undefined;
    this.#last = segment;
    this.#land(segment);
    await this.#evict(video.currentTime);
    appended();
  }

  /** The segment to append next; undefined if there is none yet. */
  #next() {
    const segments = this.#list?.segments ?? [];
    if (this.#last) {
      const { number } = this.#last;
      const next = segments.find((segment) => segment.number > number);
      // The server has begun again.
      return next ?? (segments.length && segments[segments.length - 1].number < number ? segments[0] : undefined);
    }
    const { time, back } = this.#wanted;
    const after = segments.findIndex(({ start, duration }) => start + duration > time + 0.001);
    const at = after < 0 ? (this.window().ended ? segments.length : segments.length - 1) : after;
    return segments[Math.max(0, at - back)];
  }

  /** Milliseconds between two loads of the playlist. */
  #reload() {
    const last = this.#list?.segments.at(-1)?.duration ?? 1;
    return Math.min(Math.max(last * (this.#changed ? 500 : 250), 300), 5000);
  }

  /** Checks that a seek has its time in the buffer; else an earlier segment has the key frame. @param {import('./list.js').Segment} segment */
  #land(segment) {
    const wanted = this.#wanted;
    if (!wanted.open) return;
    const ranges = this.#buffer?.buffered;
    // An earlier segment only has to have a key frame: the segments after it follow.
    const [from, to] = wanted.back ? [segment.start, segment.start + segment.duration] : [wanted.time, wanted.time + 1].map((time) => Math.max(time, segment.start));
    let landed = false;
    for (let n = 0; ranges && n < ranges.length; n++) landed ||= ranges.start(n) <= to && from < ranges.end(n) + SAME;
    if (landed || wanted.back >= BACK || this.#main || segment.number <= (this.#list?.segments[0]?.number ?? 0)) wanted.open = false;
    else if (segment.start <= wanted.time) [this.#last, wanted.back] = [null, wanted.back + 1];
  }

  /** @param {import('./list.js').Segment} segment @param {AbortSignal} hop */
  async #append(segment, hop) {
    const buffer = /** @type {SourceBuffer} */ (this.#buffer), key = segment.map ? segment.map.url + segment.map.range : '';
    const after = this.#last;
    if (key !== this.#map) {
      const init = await this.#init(segment);
      if (hop.aborted) return;
      buffer.abort();
      if (init.mime !== this.#mime) buffer.changeType(init.mime);
      [this.#mime, this.#map, this.#tracks, this.codecs] = [init.mime, key, init.tracks, init.codecs];
      await this.#put(init.data, hop);
    } else if (!after) {
      buffer.abort();
    }
    const data = await this.#bytes(segment.part, hop);
    if (hop.aborted) return;
    const begins = timeOf(data, this.#tracks);
    if (begins === undefined) throw { code: 'unsupported-format' };
    const joined = after && after.number + 1 === segment.number && !segment.discontinuity;
    const offset = this.#main ? this.#main.offset ?? 0 : joined ? this.offset ?? 0 : segment.start - begins;
    // Rounded durations in the playlist move nothing that belongs together.
    if (this.offset === undefined || Math.abs(offset - this.offset) > (segment.discontinuity ? 0 : 1)) this.offset = offset;
    buffer.timestampOffset = this.offset;
    if (segment.duration > 0) this.bitrate = data.length * 8 / segment.duration / 1000;
    await this.#put(data, hop);
  }

  /** Appends bytes; waits until they are in. @param {Uint8Array} data @param {AbortSignal} hop */
  async #put(data, hop) {
    const buffer = /** @type {SourceBuffer} */ (this.#buffer);
    for (;;) {
      try {
        buffer.appendBuffer(/** @type {BufferSource} */ (data));
        break;
      } catch (error) {
        if (/** @type {DOMException} */ (error).name !== 'QuotaExceededError') throw { code: 'media-error', say: String(error) };
        // Some of it is played soon, and removed then.
        await wait(500, hop);
        if (hop.aborted) return;
      }
    }
    await updated(buffer);
  }

  /** Removes what was played. @param {number} head */
  async #evict(head) {
    const buffer = /** @type {SourceBuffer} */ (this.#buffer);
    if (!buffer.buffered.length || buffer.buffered.start(0) > head - 2 * BEHIND) return;
    buffer.remove(0, head - BEHIND);
    await updated(buffer);
  }

  /** Fetches a part of a resource. @param {import('./list.js').Part} part @param {AbortSignal} signal */
  async #bytes({ url, range }, signal) {
    for (let tries = 1; ; tries++) {
      try {
        const response = await this.#get(url, range, {}, signal);
        // A server without ranges would send everything.
        if (range && response.status !== 206) throw { code: 'http', fatal: true, say: `HTTP ${response.status}` };
        if (Number(response.headers.get('content-length')) > LARGEST) throw { code: 'unsupported-format', fatal: true };
        return new Uint8Array(await response.arrayBuffer());
      } catch (error) {
        const { fatal, status } = /** @type {{ fatal?: boolean, status?: number }} */ (error);
        if (signal.aborted || fatal || tries >= TRIES || !status) throw error;
        await wait(backOff(tries), signal);
      }
    }
  }

  /** @param {string} url @param {string} range @param {Record<string, string>} headers @param {AbortSignal} signal */
  async #get(url, range, headers, signal) {
    const response = await fetch(url, { headers: range ? { ...headers, range } : headers, signal });
    if (!response.ok) throw refusal(response.status, response);
    return response;
  }
}

/** Resolves when a SourceBuffer has done its work. @param {SourceBuffer} buffer @returns {Promise<void>} */
function updated(buffer) {
  if (!buffer.updating) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = (/** @type {Event} */ { type }) => {
      for (const name of ['updateend', 'error']) buffer.removeEventListener(name, done);
      if (type === 'error') reject({ code: 'media-error' });
      else resolve();
    };
    for (const name of ['updateend', 'error']) buffer.addEventListener(name, done);
  });
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
const wait = (ms, signal) => new Promise((resolve) => {
  const done = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', done);
    resolve();
  };
  const timer = setTimeout(done, signal.aborted ? 0 : ms);
  signal.addEventListener('abort', done);
});
