// Captions, the number of viewers, and flying messages. Fetched by pages that show them.

import { pathOf, readAddress } from '../net/stream-address.js';

/** Milliseconds between requests for the number of viewers. */
const OFTEN = 10_000;
/** Number of streams to request from SRS, whose API lists all streams. */
const MANY = 1000;

/** The captions, viewer count and flying messages of one player. */
export class Extras {
  #video; #tell;
  /** @type {HTMLTrackElement | null} */
  #track = null;
  #captions = '';
  #watched = '';
  #room = '';
  /** Shows the messages of a room over the video. @type {Promise<import('../chat/flying/overlay.js').Overlay> | null} */
  #overlay = null;
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
   * Shows a WebVTT file over the video; an empty address removes it.
   * @param {string} url
   * @param {string} label name of the track
   */
  async captions(url, label) {
    if (url === this.#captions) return;
    this.#captions = url;
    this.#track?.remove();
    this.#track = null;
    this.#tell.captions();
    if (!url) return;
    try {
      // Fetch the file here: the element would need CORS permission from the video's server as well.
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

  /**
   * Lets the messages of a room fly over the video; an empty name ends that.
   * @param {string} room
   * @param {string} url of the stream, on the room's server
   */
  fly(room, url) {
    const wanted = room && `${room} ${url}`;
    if (wanted === this.#room) return;
    this.#room = wanted;
    void this.#overlay?.then((overlay) => overlay.close(), () => {});
    this.#overlay = null;
    const box = this.#video.parentElement;
    if (!room || !box) return;
    this.#overlay = import('../chat/flying/overlay.js').then(({ Overlay }) => new Overlay(box, room, url));
    this.#overlay.catch(() => { this.#room = ''; });
  }

  /** Asks the server regularly for the number of viewers of a stream; an empty address stops that. @param {string} url */
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
      // If the server does not know the first address, use the second one from now on.
      if (count === undefined) count = await (ask = clients)(url).catch(() => -1);
      if (url === this.#watched) this.#tell.viewers(count);
    };
    void look();
    this.#timer = window.setInterval(look, OFTEN);
  }
}

/**
 * Returns the number of viewers from a Lianmai gateway; -1 if unknown.
 * @param {string} url
 * @returns {Promise<number | undefined>} undefined if it is another server
 */
async function viewers(url) {
  const address = readAddress(url, document.baseURI);
  if (!address?.name) return -1;
  const response = await fetch(`${address.origins[0]}${pathOf(address)}/viewers`);
  if (response.status === 404) return undefined;
  const { viewers: count } = await response.json();
  return count >= 0 ? count : -1;
}

/** Returns the number of viewers from SRS, which lists all streams; -1 if unknown. @param {string} url */
async function clients(url) {
  const address = readAddress(url, document.baseURI);
  const [, app, name] = /^(.+)\/([^/]+)$/.exec(address?.name ?? '') ?? [];
  if (!address || !app || !name) return -1;
  const query = `app=${encodeURIComponent(app)}&stream=${encodeURIComponent(name)}&count=${MANY}`;
  const response = await fetch(`${address.origins[0]}/api/v1/streams/?${query}`);
  const { streams = [] } = await response.json();
  const own = streams.find((/** @type {{ app: string, name: string }} */ one) => one.app === app && one.name === name);
  // SRS counts the publisher as a client.
  return own ? Math.max(0, own.clients - (own.publish?.cid ? 1 : 0)) : -1;
}
