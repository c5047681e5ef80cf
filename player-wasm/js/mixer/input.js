// One input of the mix: a stream that is played for it, or one that the page has.

import { Tokens } from '../net/token-ask.js';

/** @typedef {import('./items.js').Item} Item */
/** @typedef {import('../types/define-mixer.js').MixInputState} MixInputState */
/** @typedef {import('../player/engine/sources/webrtc/rtc.js').Rtc} Rtc */

/** Milliseconds before a stream that was given up is tried again. */
const AGAIN = 5_000;
/** It plays, and nobody looks away: a hidden page mixes on. */
const CLOCK = /** @type {const} */ ({ type: 'clock', at: 0, time: 0, rate: 1, paused: false, seeking: false, starved: false, hidden: false });

export class MixSource {
  /** @type {MixInputState} */
  state = 'connecting';
  /** Why it is not live: a code of the player. */
  code = '';
  #media; #token; #onchange;
  /** @type {Rtc | null} */
  #play = null;
  #closed = false;
  #timer = 0;

  /**
   * @param {Item} item
   * @param {() => import('../net/token-ask.js').Token} token
   * @param {() => void} onchange
   */
  constructor(item, token, onchange) {
    this.item = item;
    this.#media = item.media;
    this.#token = token;
    this.#onchange = onchange;
    if (item.url) void this.#open();
  }

  /** The track that has pictures at this moment. */
  get video() {
    const track = this.#media?.getVideoTracks().find(usable) ?? null;
    return this.#play && this.state !== 'live' ? null : track;
  }

  get audio() { return this.#media?.getAudioTracks().find(({ readyState }) => readyState === 'live') ?? null; }

  /** Changes everything but where it comes from. @param {Item} item */
  set(item) {
    this.item = item;
    if (item.media) this.#media = item.media;
  }

  /** Called ten times a second. */
  tick() {
    this.#play?.post(CLOCK);
    if (this.item.url) return;
    this.#show(this.audio || this.video ? 'live' : 'waiting');
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#play?.close();
  }

  async #open() {
    const { Rtc } = await import('../player/engine/sources/webrtc/rtc.js');
    if (this.#closed) return;
    const tokens = new Tokens();
    this.#play?.close();
    this.#play = new Rtc({
      url: this.item.url, kind: 'webrtc', protocol: 'webrtc', latency: 'realtime', retry: Infinity, trace: false, base: '', rates: false, native: false,
      token: async (unspent) => tokens.take(this.#token(), unspent),
    }, (message) => this.#receive(message));
  }

  /** @param {import('../player/engine/sources/messages.js').FromSource} message */
  #receive(message) {
    if (this.#closed) return;
    if (message.type === 'attach') this.#media = /** @type {MediaStream} */ (message.handle);
    else if (message.type === 'state') this.#show(/** @type {MixInputState} */ (message.state), message.code);
    else if (message.type === 'error') {
      this.#show('error', message.code);
      this.#timer = setTimeout(() => void this.#open(), AGAIN);
    }
  }

  /** @param {MixInputState} state @param {string} [code] */
  #show(state, code = '') {
    if (state === this.state && code === this.code) return;
    this.state = state;
    this.code = code;
    this.#onchange();
  }
}

/** Whether a track has pictures. A camera that is off is not enabled. @param {MediaStreamTrack} track */
const usable = ({ readyState, muted, enabled }) => readyState === 'live' && !muted && enabled;
