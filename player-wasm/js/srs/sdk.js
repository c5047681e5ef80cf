// The API of SRS's srs.sdk.js, for existing pages. The publishing half is fetched when it is used.

import { negotiate, playEndpoint, readAddress } from '../player/engine/sources/webrtc/rtc.js';

/** @typedef {{ videoOnly?: boolean, audioOnly?: boolean }} Only */

/** Plays a stream. Pages expect that `pc` and `stream` exist at once, and that they may replace `ontrack`. */
export class SrsRtcPlayerAsync {
  /** @type {RTCPeerConnection | null} */
  pc = new RTCPeerConnection();
  stream = new MediaStream();
  /** Ends the connection, and the session at the server if it exists. @type {() => unknown} */
  leave = () => this.pc?.close();

  constructor() {
    /** @type {RTCPeerConnection} */ (this.pc).ontrack = (event) => this.ontrack?.(event);
  }

  /** @param {RTCTrackEvent} event */
  ontrack(event) {
    this.stream.addTrack(event.track);
  }

  /**
   * Plays into {@link stream}.
   * @param {string} url `webrtc://host/app/stream`, or a WHEP address
   * @param {Only} [only]
   */
  play(url, only) {
    return play(this, url, only);
  }

  close() {
    if (this.pc) this.leave();
    this.pc = null;
  }
}

/** Publishes a stream, with the same API. */
export class SrsRtcPublisherAsync extends SrsRtcPlayerAsync {
  /** Constraints of camera and microphone. @type {MediaStreamConstraints} */
  constraints = { audio: true, video: { width: { ideal: 1280 }, height: { ideal: 720 } } };

  /**
   * Publishes camera and microphone, or other sources.
   * @param {string} url `webrtc://host/app/stream`, or a WHIP address
   * @param {import('./sdk-publish.js').Sources} [sources]
   */
  publish(url, sources) {
    return import('./sdk-publish.js').then((module) => module.publish(this, url, sources));
  }
}

/** The API of srs.sdk.js for WHIP and WHEP addresses. */
export class SrsRtcWhipWhepAsync extends SrsRtcPublisherAsync {}

/**
 * @param {SrsRtcPlayerAsync} sdk
 * @param {string} url
 * @param {Only} [only]
 * @returns {Promise<{ code: number, sessionid: string, simulator: string }>} the response in the format of SRS
 */
export async function play(sdk, url, { videoOnly, audioOnly } = {}) {
  const peer = sdk.pc;
  if (!peer) throw new Error('it is closed');
  const at = readAddress(url, document.baseURI);
  if (!at) throw new Error(`not an address of a stream: ${url}`);
  if (!videoOnly) peer.addTransceiver('audio', { direction: 'recvonly' });
  if (!audioOnly) peer.addTransceiver('video', { direction: 'recvonly' });
  for (let n = 0; ; n++) {
    // Every HTTP address counts as an endpoint.
    const endpoint = /^https?:/i.test(url) ? { url: at.url, streamurl: '' } : playEndpoint(at, n, url);
    const { origin } = new URL(endpoint.url);
    try {
      const sessionid = await negotiate(peer, endpoint, (session) => { sdk.leave = () => session.end(peer); });
      // The page closed the session meanwhile.
      if (!sdk.pc) sdk.leave();
      return { code: 0, sessionid, simulator: `${origin}/rtc/v1/nack/` };
    } catch (error) {
      const { code = 'network', text } = /** @type {{ code?: string, text?: string }} */ (error);
      const elsewhere = n + 1 < at.origins.length && (code === 'network' || code === 'no-webrtc');
      if (!elsewhere) throw Object.assign(new Error(text ?? `${origin} refuses to play: ${code}`), { code });
    }
  }
}
