// What the browser plays by itself: files, and HLS on Safari. Only reconnecting is ours.

import { backOff } from '../../../net/retry.js';
import { showing } from '../../../net/token.js';

/** Plays an address as the element's own source. */
export class NativeSource {
  #video;
  #abort = new AbortController();
  #timer = 0;
  #attempt = 0;
  #reconnects = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {string} url
   * @param {number} retry
   * @param {(() => Promise<string>) | undefined} token  what shows the server that we may
   * @param {(message: any) => void} report
   */
  constructor(video, url, retry, token, report) {
    this.#video = video;
    const signal = this.#abort.signal;
    const stats = () => report({
      type: 'stats', stats: { protocol: 'native', reconnects: this.#reconnects },
    });
    video.addEventListener('loadeddata', () => {
      this.#attempt = 0;
      report({ type: 'state', state: 'live' });
      stats();
    }, { signal });
    video.addEventListener('ended', () => report({ type: 'state', state: 'ended' }), { signal });
    video.addEventListener('play', () => report({ type: 'state', state: 'live' }), { signal });
    const open = async () => {
      try {
        const address = token ? showing(url, await token()) : url;
        if (signal.aborted) return;
        // It may be there already: a page that preloads it.
        if (video.src !== address || video.error) video.src = address;
        report({ type: 'source' });
      } catch (error) {
        const { code, detail, fatal } = /** @type {any} */ (error);
        if (!signal.aborted) failed(code, fatal, detail);
      }
    };
    const failed = (/** @type {string} */ code, /** @type {boolean} */ fatal, /** @type {string} */ message) => {
      if (fatal || this.#attempt >= retry) return report({ type: 'error', code, message });
      report({ type: 'state', state: 'reconnecting', code });
      this.#timer = window.setTimeout(() => {
        this.#reconnects++;
        void open();
        // What fails may be the page's function, or what it asks: not to be pressed.
      }, backOff(this.#attempt++, document.hidden || !!token));
      return undefined;
    };
    video.addEventListener('error', () => {
      const media = video.error;
      if (!media) return;
      const decode = media.code === MediaError.MEDIA_ERR_DECODE;
      const code = decode ? 'media-error' : 'network';
      // A file that was never readable stays so; a live playlist may come.
      const never = media.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED && !/\.m3u8/i.test(url);
      failed(never ? 'unsupported-format' : code, never, media.message);
    }, { signal });
    void open();
  }

  close() {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#video.removeAttribute('src');
  }
}
