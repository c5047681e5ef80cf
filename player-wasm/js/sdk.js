// The playing half of SRS's srs.sdk.js, as existing pages call it.

import { end, negotiate, place } from './rtc.js';

/** @typedef {{ videoOnly?: boolean, audioOnly?: boolean }} Only */

/** What pages of srs.sdk.js expect: `pc` and `stream` are there at once, `ontrack` may be replaced. */
export class SrsRtcPlayerAsync {
  /** @type {RTCPeerConnection | null} */
  pc = new RTCPeerConnection();
  stream = new MediaStream();
  /** Ends the session at the server, once there is one. @type {(() => Promise<void>) | null} */
  leave = null;

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
    const { pc } = this;
    // The session ends before its connection.
    void Promise.resolve(this.leave?.()).then(() => pc?.close());
    this.pc = this.leave = null;
  }
}

/** The same for WHEP addresses. */
export class SrsRtcWhipWhepAsync extends SrsRtcPlayerAsync {}

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
      if (sdk.pc) sdk.leave = () => end(location);
      else void end(location);
      return { code: 0, sessionid: id, simulator: `${target.origin}/rtc/v1/nack/` };
    } catch (error) {
      const { code = 'network', text } = /** @type {{ code?: string, text?: string }} */ (error);
      const elsewhere = n + 1 < at.origins.length && (code === 'network' || code === 'no-webrtc');
      if (!elsewhere) throw Object.assign(new Error(text ?? `${target.origin} refuses to play: ${code}`), { code });
    }
  }
}
