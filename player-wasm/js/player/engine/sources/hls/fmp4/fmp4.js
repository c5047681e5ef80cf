// Plays HLS whose segments are fragmented MP4: they go into a MediaSource as they are. It runs on the page's own thread,
// because nothing is converted.

import { refusal } from '../../../../../net/refusal.js';
import { Retry } from '../../../../../net/retry.js';
import { bearer } from '../../../../../net/token.js';
import { textOf } from '../text.js';
import { Variants } from '../variants.js';
import { Feed } from './feed.js';
import { readMaster } from './list.js';

/** Milliseconds between two looks at what is buffered. */
const TICK = 100;
/** A hole in the buffer before the playhead, in seconds, that is jumped over. */
const HOLE = 2;

/** Plays one address, from {@link start} on. */
export class Fmp4 {
  #video; #request; #report; #retry;
  #abort = new AbortController();
  /** Ends the present attempt. */
  #attempt = new AbortController();
  /** @type {Feed[]} */ #feeds = [];
  /** @type {MediaSource | null} */ #source = null;
  /** @type {{ paused: boolean, hidden: boolean }} */ #clock = { paused: true, hidden: false };
  #reconnects = 0;
  #live = false;
  #timer = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {import('../../messages.js').Request} request
   * @param {import('../../messages.js').Report} report
   */
  constructor(video, request, report) {
    this.#video = video;
    this.#request = request;
    this.#report = report;
    this.#retry = new Retry(request.retry);
  }

  start() {
    this.#timer = window.setInterval(() => this.#tick(), TICK);
    void this.#open();
  }

  /** @param {import('../../messages.js').ToSource} message */
  post(message) {
    switch (message.type) {
      case 'clock': this.#clock = message; break;
      case 'live': this.#goLive(); break;
      case 'sought':
        for (const feed of this.#feeds) feed.seek(message.time);
        break;
      case 'rebuild': this.#failed({ code: 'media-error', say: message.text }); break;
    }
  }

  close() {
    this.#abort.abort();
    this.#attempt.abort();
    this.#retry.stop();
    window.clearInterval(this.#timer);
  }

  async #open() {
    const { url, token, latency } = this.#request;
    const attempt = this.#attempt = new AbortController();
    const { signal } = attempt;
    try {
      let headers = bearer(token ? await token() : '');
      const response = await fetch(url, { headers, signal });
      if (!response.ok) throw refusal(response.status, response);
      const text = await textOf(response);
      const base = response.url || url;
      const master = readMaster(text);
      const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
      const plays = (/** @type {string} */ mime) => Source.isTypeSupported(mime);
      let main = base, audio = '';
      if (master) {
        const { uri } = new Variants(master.variants, plays).choose();
        main = new URL(uri, base).href;
        audio = master.audio.get(master.groups.get(uri) ?? '') ?? '';
        // What a master playlist names has a session in its address.
        headers = {};
      }
      const feeds = [new Feed(main, headers, signal, latency)];
      if (audio) feeds.push(new Feed(new URL(audio, base).href, headers, signal, latency, feeds[0]));
      await feeds[0].load(master ? undefined : { text, url: base });
      await feeds[1]?.load();
      const source = await this.#attach(Source, signal);
      for (const feed of feeds) await feed.begin(source, plays);
      if (signal.aborted) return;
      this.#feeds = feeds;
      this.#update();
      const start = feeds[0].first();
      if (start > 0) this.#report({ type: 'seek', time: start });
      for (const feed of feeds) {
        feed.run(this.#video, () => this.#appended()).catch((error) => { if (attempt === this.#attempt) this.#failed(error); });
      }
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  /**
   * Shows a new MediaSource; resolves when it is open.
   * @param {typeof MediaSource} Source
   * @param {AbortSignal} signal
   * @returns {Promise<MediaSource>}
   */
  #attach(Source, signal) {
    const source = this.#source = new Source();
    this.#report({ type: 'attach', handle: source, managed: Source === globalThis.ManagedMediaSource });
    return new Promise((resolve, reject) => {
      source.addEventListener('sourceopen', () => resolve(source), { once: true });
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  /** Tells the MediaSource what the server has. */
  #update() {
    const source = this.#source, [main] = this.#feeds;
    if (!main || source?.readyState !== 'open') return;
    const { begin, end, ended } = main.window();
    if (ended) {
      // Appended media may have made it a little longer than the playlist says.
      if (!(source.duration >= end && source.duration < Infinity) && this.#feeds.every((feed) => feed.idle)) {
        try {
          source.duration = Math.max(end, ...this.#feeds.map((feed) => feed.buffered()));
        } catch {
          // A frame ends later than the buffered range says: the end of the stream sets the duration.
        }
      }
    } else {
      source.setLiveSeekableRange?.(begin, end);
    }
  }

  #tick() {
    const source = this.#source, feeds = this.#feeds, video = this.#video;
    if (!feeds.length || !source) return;
    this.#update();
    if (feeds.every((feed) => feed.done && feed.idle) && source.readyState === 'open') source.endOfStream();
    const { begin, end, ended } = feeds[0].window();
    const { currentTime, buffered } = video;
    // A stream forgets its beginning; a viewer who is too far behind goes to live.
    if (!ended && currentTime < begin - 1 && end > begin) this.#goLive();
    if (video.readyState >= 3 || video.seeking && video.readyState > 1) return;
    for (let n = 0; n < buffered.length; n++) {
      const start = buffered.start(n);
      if (start > currentTime && start - currentTime < HOLE && (n === 0 || buffered.end(n - 1) <= currentTime + 0.1)) {
        this.#report({ type: 'seek', time: start + 0.01 });
        return;
      }
    }
  }

  #goLive() {
    const [main] = this.#feeds;
    if (!main || main.window().ended) return;
    const time = main.first();
    for (const feed of this.#feeds) feed.seek(time);
    this.#report({ type: 'seek', time });
  }

  #appended() {
    this.#retry.reset();
    if (!this.#live) this.#report({ type: 'state', state: 'live' });
    this.#live = true;
    const codecs = this.#feeds.flatMap((feed) => feed.codecs).join(', ');
    const { end, ended } = this.#feeds[0].window();
    const latency = ended ? 0 : Math.max(0, end - this.#video.currentTime);
    const bitrate = this.#feeds.reduce((sum, feed) => sum + feed.bitrate, 0);
    this.#report({ type: 'stats', stats: { protocol: 'hls', codecs, bitrate, latency, reconnects: this.#reconnects } });
  }

  /** @param {unknown} error */
  #failed(error) {
    const { code = 'network', fatal = false, say = '', detail } = /** @type {{ code?: string, fatal?: boolean, say?: string, detail?: string }} */ (error);
    this.#attempt.abort();
    this.#feeds = [];
    this.#live = false;
    const wait = fatal ? undefined : this.#retry.next(this.#clock.hidden || !!this.#request.token);
    if (wait === undefined) return this.#report({ type: 'error', code, message: detail ?? say });
    this.#report({ type: 'state', state: 'reconnecting', code, message: detail ?? say });
    this.#retry.after(wait, () => {
      this.#reconnects++;
      void this.#open();
    });
  }
}
