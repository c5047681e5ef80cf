// Finds the server and the protocol by which a stream can be published, and opens sessions.

import { endpoints, isElsewhere } from './endpoints.js';
import { coded, PublishError } from './error.js';
import { offersH264 } from './prefer.js';
import { RtcSession } from './rtc.js';

/** @typedef {import('./publisher.js').PublisherOptions} PublisherOptions */

/** Errors after which the publisher tries FLV. */
const OTHER_WAY = ['ice', 'no-webrtc', 'no-h264'];

/** Returns a suitable bit rate for a video size, in bits per second. @param {number} width @param {number} height */
const suited = (width, height) => Math.round(Math.min(8, 0.5 + width * height / 460_000) * 1_000_000);

/** Opens the sessions of one publication, one at a time. */
export class Connector {
  /** @type {RtcSession | import('./flv.js').FlvSession | null} */
  session = null;
  #options; #capture; #tokens; #onlost;
  #closed = false;
  /** Whether FLV is used instead of WebRTC. */
  #flv;
  /** ICE servers from the server. */
  #servers = /** @type {RTCIceServer[]} */ ([]);
  /** Whether no server has received the last token. */
  #unspent = false;
  #endpoint = { whip: '', flv: '' };

  /**
   * @param {PublisherOptions} options
   * @param {import('./capture.js').Capture} capture
   * @param {import('../../net/token-ask.js').Tokens} tokens
   * @param {(why: PublishError) => void} onlost called when the connection is lost
   */
  constructor(options, capture, tokens, onlost) {
    this.#options = options;
    this.#capture = capture;
    this.#tokens = tokens;
    this.#onlost = onlost;
    this.#flv = options.protocol === 'ws-flv';
  }

  /**
   * Makes one attempt, over WebRTC or FLV. If this attempt changed from WebRTC to FLV, resolves to the reason, else to an
   * empty text. Throws a PublishError.
   */
  async connect() {
    const none = new PublishError('no-webrtc');
    let because = '';
    if (await this.#lacksH264()) {
      this.#flv = true;
      because = 'no-h264';
    }
    this.#check();
    if (!this.#flv && !('RTCPeerConnection' in globalThis) && !this.#mayChange(none)) throw none;
    try {
      await this.#open();
    } catch (error) {
      const why = /** @type {PublishError} */ (error);
      this.#check();
      const servers = this.session?.servers ?? [];
      await this.session?.close();
      this.#check();
      // Try the relays that the server has named.
      const relays = why.code === 'ice' && servers.length > 0 && this.#servers.length === 0;
      if (relays) this.#servers = servers;
      else if (!this.#mayChange(why)) throw why;
      await this.#open().catch((/** @type {PublishError} */ again) => {
        // If the server has no FLV either, the first reason is more helpful.
        throw isElsewhere(again.code) ? why : again;
      });
      if (this.#flv) because = why.detail === 'loopback' ? why.detail : why.code;
    }
    this.#check();
    return because;
  }

  /** Applies other options to the session. @param {PublisherOptions} options */
  async set(options) {
    this.#options = options;
    await this.session?.replace();
    await this.session?.set(this.#sessionOptions(this.#endpoint));
  }

  /** Ends the session and the current attempts. */
  async close() {
    this.#closed = true;
    await this.session?.close();
  }

  #check() {
    if (this.#closed) throw new PublishError('stopped');
  }

  /**
   * @param {import('./endpoints.js').Endpoint} endpoint
   * @returns {import('./rtc.js').SessionOptions}
   */
  #sessionOptions(endpoint) {
    const { source, bitrate, width, height, fps, lines = 0, base } = this.#options;
    return {
      endpoint, fps, lines, base, screen: source === 'screen', bitrate: bitrate || suited(width, height), servers: this.#servers,
      capture: this.#capture,
      token: () => {
        const unspent = this.#unspent;
        this.#unspent = false;
        return this.#tokens.take(this.#options.token, unspent);
      },
      onlost: this.#onlost,
    };
  }

  /** Returns whether this browser can encode H.264 for a WebSocket but not for WebRTC, where it would use a codec that few viewers can play. */
  async #lacksH264() {
    const { protocol, source, width, height, fps, bitrate } = this.#options;
    if (protocol !== 'auto' || source === 'audio' || this.#flv || offersH264() || !this.#hasFlv()) return false;
    const { encodesH264 } = await import('./flv.js');
    return encodesH264({ width, height, fps, bitrate: bitrate || suited(width, height) });
  }

  #hasFlv() {
    return endpoints(this.#options.url, document.baseURI).some(({ flv }) => flv);
  }

  /** Changes to FLV if that is worth a try, and returns whether it did. @param {PublishError} why */
  #mayChange({ code }) {
    if (this.#options.protocol !== 'auto' || this.#flv || !OTHER_WAY.includes(code)) return false;
    this.#flv = this.#hasFlv();
    return this.#flv;
  }

  /** Opens a session with the first server that answers. */
  async #open() {
    let last = new PublishError('bad-url', this.#options.url);
    const { url, seat } = this.#options;
    const all = endpoints(seat ? `${url}?seat=${encodeURIComponent(seat)}` : url, document.baseURI);
    for (const endpoint of all.filter(({ flv, whip }) => (this.#flv ? flv : whip))) {
      const Session = this.#flv ? await import('./flv.js').then((module) => module.FlvSession) : RtcSession;
      this.#check();
      const session = this.session = new Session(this.#sessionOptions(endpoint));
      this.#endpoint = endpoint;
      try {
        return await session.open();
      } catch (error) {
        last = coded(error, 'http');
        this.#unspent = last.unspent;
        // The next server refuses a request without a token as well.
        if (!isElsewhere(last.code) || /** @type {{ own?: boolean }} */ (last).own) throw last;
        await session.close();
      }
    }
    throw last;
  }
}
