// What only some pages want of their player: captions, and how many watch. Fetched when one does.

import { place } from '../net/stream-address.js';

/** The number of viewers is asked for every so many milliseconds. */
const OFTEN = 10_000;
/** As many streams of SRS as are looked through for ours. */
const MANY = 1000;

/** For one player. */
export class Extras {
  #video; #tell;
  /** @type {HTMLTrackElement | null} */
  #track = null;
  #captions = '';
  #watched = '';
  #timer = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {{ captions: () => void, viewers: (count: number) => void, failed: (code: string, message: string) => void }} tell
   */
  constructor(video, tell) {
    this.#video = video;
    this.#tell = tell;
  }

  /**
   * Shows a WebVTT file over the picture; empty: none.
   * @param {string} url
   * @param {string} label what it is called
   */
  async captions(url, label) {
    if (url === this.#captions) return;
    this.#captions = url;
    this.#track?.remove();
    this.#track = null;
    this.#tell.captions();
    if (!url) return;
    try {
      // Not by the element: it wants the picture's server to allow for what the captions' one allows.
      const response = await fetch(url);
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const text = await response.text();
      if (!/^\uFEFF?WEBVTT\b/.test(text)) throw new Error('not WebVTT');
      if (url !== this.#captions) return;
      const src = URL.createObjectURL(new Blob([text], { type: 'text/vtt' }));
      const track = Object.assign(document.createElement('track'), { kind: 'captions', label, src });
      track.onload = track.onerror = () => URL.revokeObjectURL(src);
      this.#track = track;
      this.#video.append(track);
      track.track.mode = 'showing';
      this.#tell.captions();
    } catch (error) {
      if (url === this.#captions) this.#tell.failed('no-captions', String(error));
    }
  }

  /** Asks the server how many watch a stream; empty: no more. @param {string} url */
  watch(url) {
    if (url === this.#watched) return;
    this.#watched = url;
    clearInterval(this.#timer);
    this.#tell.viewers(-1);
    if (!url) return;
    let ask = viewers;
    const look = async () => {
      if (document.hidden) return;
      let count = await ask(url).catch(() => -1);
      // A server that does not know the question is not asked it again.
      if (count === undefined) count = await (ask = clients)(url).catch(() => -1);
      if (url === this.#watched) this.#tell.viewers(count);
    };
    void look();
    this.#timer = window.setInterval(look, OFTEN);
  }
}

/**
 * How many watch a stream, of Lianmai; -1: nobody tells.
 * @param {string} url
 * @returns {Promise<number | undefined>} none: it is another server
 */
async function viewers(url) {
  const at = place(url, document.baseURI);
  if (!at?.path) return -1;
  const response = await fetch(`${at.origins[0]}${at.path}/viewers`);
  if (response.status === 404) return undefined;
  const { viewers: count } = await response.json();
  return count >= 0 ? count : -1;
}

/** The same of SRS, which tells it of all streams; -1: nobody tells. @param {string} url */
async function clients(url) {
  const at = place(url, document.baseURI);
  const [, app, name] = /^\/(.+)\/([^/]+)$/.exec(at?.path ?? '') ?? [];
  if (!at || !app || !name) return -1;
  const query = `app=${encodeURIComponent(app)}&stream=${encodeURIComponent(name)}&count=${MANY}`;
  const response = await fetch(`${at.origins[0]}/api/v1/streams/?${query}`);
  const { streams = [] } = await response.json();
  const own = streams.find((/** @type {any} */ one) => one.app === app && one.name === name);
  // Among the clients is who publishes.
  return own ? Math.max(0, own.clients - (own.publish?.cid ? 1 : 0)) : -1;
}
