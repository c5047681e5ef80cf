// The publishing half of SRS's srs.sdk.js, for existing pages.

import { Signalling } from '../net/signalling.js';
import { endpoints, isElsewhere } from '../publisher/engine/endpoints.js';
import { captureError, PublishError, WHIP_ERRORS } from '../publisher/engine/error.js';
import { prefer } from '../publisher/engine/prefer.js';
import { secureAddress } from '../publisher/secure-address.js';
import { speech } from '../publisher/texts.js';

/**
 * An object of srs.sdk.js. Pages may replace its members.
 * @typedef {object} Publishing
 * @property {RTCPeerConnection | null} pc
 * @property {MediaStream} stream
 * @property {MediaStreamConstraints} [constraints] for the camera and the microphone
 * @property {(event: RTCTrackEvent) => void} ontrack
 * @property {() => void} leave ends the session at the server and the connection, and closes the devices
 */
/** @typedef {{ camera?: boolean, screen?: boolean, audio?: boolean, video?: boolean }} Sources */

/**
 * Publishes, and shows the preview in `sdk`.
 * @param {Publishing} sdk
 * @param {string} url `webrtc://host/app/stream`, or a WHIP address
 * @param {Sources} [sources] camera and microphone unless they say otherwise
 * @returns {Promise<{ code: number, sessionid: string, simulator: string }>} the response in the format of SRS
 */
export async function publish(sdk, url, sources = {}) {
  try {
    return await begin(sdk, url, sources);
  } catch (error) {
    // A connection makes one offer only. The page needs a new object for another session.
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
  /** @type {Signalling | undefined} */
  let session;
  sdk.leave = () => {
    for (const track of tracks) track.stop();
    if (session) void session.end(peer);
    else peer.close();
  };
  const useCamera = camera ?? (video && !screen);
  const { audio: microphone = true, video: size = true } = sdk.constraints ?? {};
  const add = (/** @type {MediaStream} */ stream) => {
    tracks.push(...stream.getTracks());
    // The page closed the session while the browser asked for permission.
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
  const wanted = { ...(audio && { audio: microphone }), ...(useCamera && { video: size }) };
  if (audio || useCamera) add(await navigator.mediaDevices.getUserMedia(wanted).catch(fail(false)));
  if (!tracks.length) throw new PublishError('http', 'camera, screen and audio are all off');
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  for (const [at, place] of places.entries()) {
    session = new Signalling(place.whip, WHIP_ERRORS);
    try {
      const answer = await session.offer(offer.sdp ?? '', '');
      if (!sdk.pc) sdk.leave();
      if (!sdk.pc) throw new PublishError('stopped');
      await peer.setRemoteDescription({ type: 'answer', sdp: answer });
      const name = (/** @type {string | undefined} */ sdp) => /a=ice-ufrag:(\S+)/.exec(sdp ?? '')?.[1];
      return { code: 0, sessionid: `${name(offer.sdp)}:${name(answer)}`, simulator: `${new URL(place.whip).origin}/rtc/v1/nack/` };
    } catch (error) {
      if (!isElsewhere(/** @type {PublishError} */ (error).code) || at + 1 === places.length) throw error;
    }
  }
  throw new PublishError('network');
}
