// The publishing half of SRS's srs.sdk.js, as existing pages call it.

import { endpoints, secureAddress } from '../net/publish-address.js';
import { captureError, PublishError } from '../publisher/engine/error.js';
import { prefer } from '../publisher/engine/prefer.js';
import { Whip } from '../publisher/engine/whip.js';
import { speech } from '../publisher/i18n.js';

/**
 * What pages hand in: both ends may be replaced by them.
 * @typedef {object} Publishing
 * @property {RTCPeerConnection | null} pc
 * @property {MediaStream} stream
 * @property {MediaStreamConstraints} [constraints] of the camera and the microphone
 * @property {(event: RTCTrackEvent) => void} ontrack
 * @property {() => void} leave ends the session at the server, the connection, and what was opened here
 */
/** @typedef {{ camera?: boolean, screen?: boolean, audio?: boolean, video?: boolean }} Sources */

/**
 * Publishes what `sdk` is to show, too.
 * @param {Publishing} sdk
 * @param {string} url `webrtc://host/app/stream`, or a WHIP address
 * @param {Sources} [sources] camera and microphone unless they say otherwise
 * @returns {Promise<{ code: number, sessionid: string, simulator: string }>} as SRS's servers answer
 */
export async function publish(sdk, url, sources = {}) {
  try {
    return await begin(sdk, url, sources);
  } catch (error) {
    // Another try needs another object: a connection that was offered cannot be offered again.
    if (sdk.pc) sdk.leave();
    const { code, detail = '' } = /** @type {PublishError} */ (error);
    const name = code === 'insecure' ? 'HttpsRequiredError' : 'SrsError';
    throw Object.assign(new Error(speech()(code, detail) || detail || String(error)), { name, code });
  }
}

/** @param {Publishing} sdk @param {string} url @param {Sources} sources */
async function begin(sdk, url, { camera, screen = false, audio = true, video = true }) {
  const peer = sdk.pc;
  if (!peer) throw new PublishError('http', 'it is closed');
  if (!globalThis.isSecureContext || !navigator.mediaDevices) throw new PublishError('insecure', secureAddress(location));
  const places = endpoints(url, document.baseURI).filter(({ whip }) => whip);
  if (!places.length) throw new PublishError('bad-url', url);
  /** @type {MediaStreamTrack[]} */
  const tracks = [];
  /** @type {Whip | undefined} */
  let whip;
  sdk.leave = () => {
    for (const track of tracks) track.stop();
    // The session first: a server that hears of the connection's end does not know it any more.
    void Promise.resolve(whip?.delete()).then(() => peer.close());
  };
  const picture = camera ?? (video && !screen);
  const { audio: sound = true, video: size = true } = sdk.constraints ?? {};
  const add = (/** @type {MediaStream} */ stream) => {
    tracks.push(...stream.getTracks());
    // Closed while the person was asked.
    if (!sdk.pc) sdk.leave();
    if (!sdk.pc) throw new PublishError('stopped');
    for (const track of stream.getTracks()) {
      const transceiver = peer.addTransceiver(track, { direction: 'sendonly', streams: [sdk.stream] });
      if (track.kind === 'video') prefer(transceiver);
      sdk.ontrack(/** @type {RTCTrackEvent} */ ({ track }));
    }
  };
  const fail = (/** @type {boolean} */ shared) => (/** @type {unknown} */ error) => { throw captureError(error, shared); };
  if (screen) add(await navigator.mediaDevices.getDisplayMedia({ video: true }).catch(fail(true)));
  const wanted = { ...(audio && { audio: sound }), ...(picture && { video: size }) };
  if (audio || picture) add(await navigator.mediaDevices.getUserMedia(wanted).catch(fail(false)));
  if (!tracks.length) throw new PublishError('http', 'camera, screen and audio are all off');
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  for (const [at, place] of places.entries()) {
    whip = new Whip(place.whip, async () => '');
    try {
      const answer = await whip.offer(offer.sdp ?? '', new AbortController().signal);
      if (!sdk.pc) sdk.leave();
      if (!sdk.pc) throw new PublishError('stopped');
      await peer.setRemoteDescription({ type: 'answer', sdp: answer });
      const name = (/** @type {string | undefined} */ sdp) => /a=ice-ufrag:(\S+)/.exec(sdp ?? '')?.[1];
      return { code: 0, sessionid: `${name(offer.sdp)}:${name(answer)}`, simulator: `${new URL(place.whip).origin}/rtc/v1/nack/` };
    } catch (error) {
      if (/** @type {PublishError} */ (error).code !== 'network' || at + 1 === places.length) throw error;
    }
  }
  throw new PublishError('network');
}
