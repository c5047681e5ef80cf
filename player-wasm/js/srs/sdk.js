// What SRS's srs.sdk.js has, as existing pages call it; what publishes is fetched when it is used.

import { end, negotiate, place } from '../player/engine/sources/webrtc/rtc.js';

/** @typedef {{ videoOnly?: boolean, audioOnly?: boolean }} Only */

/** What pages of srs.sdk.js expect: `pc` and `stream` are there at once, `ontrack` may be replaced. */
export class SrsRtcPlayerAsync {
  /** @type {RTCPeerConnection | null} */
  pc = new RTCPeerConnection();
  stream = new MediaStream();
  /** Ends the connection, and the session at the server once there is one. @type {() => unknown} */
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

/** The same, to publish. */
export class SrsRtcPublisherAsync extends SrsRtcPlayerAsync {
  /** Of camera and microphone. @type {MediaStreamConstraints} */
  constraints = { audio: true, video: { width: { ideal: 1280 }, height: { ideal: 720 } } };

  /**
   * Publishes camera and microphone, or what it is told.
   * @param {string} url `webrtc://host/app/stream`, or a WHIP address
   * @param {import('./sdk-publish.js').Sources} [sources]
   */
  publish(url, sources) {
    return import('./sdk-publish.js').then((module) => module.publish(this, url, sources));
  }
}

/** The same for WHIP and WHEP addresses. */
export class SrsRtcWhipWhepAsync extends SrsRtcPublisherAsync {}

/**
 * @param {SrsRtcPlayerAsync} sdk
 * @param {string} url
 * @param {Only} [only]
 * @returns {Promise<{ code: number, sessionid: string, simulator: string }>} as SRS's servers answer
 */
export async function play(sdk, url, { videoOnly, audioOnly } = {}) {
  const peer = sdk.pc;
  if (!peer) throw new Error('it is closed');
  // Any address over HTTP is taken for what it is.
  const at = /^https?:/i.test(url) ? { origins: [''], signalling: url, streamurl: '' } : place(url, document.baseURI);
  if (!at) throw new Error(`not an address of a stream: ${url}`);
  if (!videoOnly) peer.addTransceiver('audio', { direction: 'recvonly' });
  if (!audioOnly) peer.addTransceiver('video', { direction: 'recvonly' });
  for (let n = 0; ; n++) {
    const target = new URL(at.origins[n] + at.signalling, document.baseURI);
    try {
      const { location, id } = await negotiate(peer, target.href, at.streamurl);
      sdk.leave = () => end(location, peer);
      // Closed meanwhile.
      if (!sdk.pc) sdk.leave();
      return { code: 0, sessionid: id, simulator: `${target.origin}/rtc/v1/nack/` };
    } catch (error) {
      const { code = 'network', text } = /** @type {{ code?: string, text?: string }} */ (error);
      const elsewhere = n + 1 < at.origins.length && (code === 'network' || code === 'no-webrtc');
      if (!elsewhere) throw Object.assign(new Error(text ?? `${target.origin} refuses to play: ${code}`), { code });
    }
  }
}
