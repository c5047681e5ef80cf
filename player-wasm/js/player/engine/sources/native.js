// Plays files, and HLS on Safari, without the engine: the browser plays them. This module only reconnects.

import { Retry } from '../../../net/retry.js';
import { showing } from '../../../net/token.js';

/** Plays an address as the `src` of the media element. Playback begins with {@link start}. */
export class NativeSource {
  #video; #request; #report; #retry;
  #abort = new AbortController();
  #reconnects = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {{ url: string, retry: number, token?: () => Promise<string> }} request
   * @param {import('./messages.js').Report} report
   */
  constructor(video, request, report) {
    this.#video = video;
    this.#request = request;
    this.#report = report;
    this.#retry = new Retry(request.retry);
  }

  start() {
    const video = this.#video;
    const on = (/** @type {string} */ type, /** @type {() => void} */ listener) =>
      video.addEventListener(type, listener, { signal: this.#abort.signal });
    const live = () => this.#report({ type: 'state', state: 'live' });
    on('loadeddata', () => {
      this.#retry.reset();
      live();
      this.#report({ type: 'stats', stats: { protocol: 'native', reconnects: this.#reconnects } });
    });
    on('ended', () => this.#report({ type: 'state', state: 'ended' }));
    on('play', live);
    on('error', () => this.#broken());
    void this.#open();
  }

  /** Ignores messages of the player: the browser needs none. */
  post() {}

  close() {
    this.#abort.abort();
    this.#retry.stop();
  }

  async #open() {
    const video = this.#video;
    const { url, token } = this.#request;
    try {
      const address = token ? showing(url, await token()) : url;
      if (this.#abort.signal.aborted) return;
      // The element may have preloaded this address.
      if (video.src !== address || video.error) video.src = address;
      this.#report({ type: 'source' });
    } catch (error) {
      const { code, detail, fatal } = /** @type {import('./messages.js').TokenError} */ (error);
      if (!this.#abort.signal.aborted) this.#failed(code, fatal, detail);
    }
  }

  #broken() {
    const { error } = this.#video;
    if (!error) return;
    // Do not retry a file in an unsupported format. A live playlist may appear later.
    const never = error.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED && !/\.m3u8/i.test(this.#request.url);
    const code = never ? 'unsupported-format' : error.code === MediaError.MEDIA_ERR_DECODE ? 'media-error' : 'network';
    this.#failed(code, never, error.message);
  }

  /** @param {string} code @param {boolean} fatal @param {string} message */
  #failed(code, fatal, message) {
    // Back off if the page provides tokens: its token server may be shared by many viewers.
    const wait = fatal ? undefined : this.#retry.next(document.hidden || !!this.#request.token);
    if (wait === undefined) return this.#report({ type: 'error', code, message });
    this.#report({ type: 'state', state: 'reconnecting', code });
    this.#retry.after(wait, () => {
      this.#reconnects++;
      void this.#open();
    });
  }
}
