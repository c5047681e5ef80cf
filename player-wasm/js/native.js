// What the browser plays by itself: files, and HLS on Safari. Only reconnecting is ours.

import { backOff } from './retry.js';

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
   * @param {(message: any) => void} report
   */
  constructor(video, url, retry, report) {
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
    video.addEventListener('error', () => {
      const media = video.error;
      if (!media) return;
      const decode = media.code === MediaError.MEDIA_ERR_DECODE;
      const code = decode ? 'media-error' : 'network';
      // A file that was never readable stays so; a live playlist may come.
      const never = media.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED && !/\.m3u8/i.test(url);
      if (never || this.#attempt >= retry) {
        report({ type: 'error', code: never ? 'unsupported-format' : code, message: media.message });
        return;
      }
      report({ type: 'state', state: 'reconnecting', code });
      this.#timer = window.setTimeout(() => {
        const playing = !video.paused;
        this.#reconnects++;
        video.src = url;
        if (playing) video.play().catch(() => {});
      }, backOff(this.#attempt++));
    }, { signal });
    video.src = url;
  }

  close() {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#video.removeAttribute('src');
  }
}
