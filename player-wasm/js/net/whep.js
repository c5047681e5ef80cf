// Plays over WebRTC: negotiates with a server by WHEP, or by SRS's JSON API.

import { refusal } from './refusal.js';
import { Signalling } from './signalling.js';
import { endpointOf, offerQuery } from './stream-address.js';

/** Asks for stereo audio: the default of browsers is mono. @param {string} sdp */
export const stereo = (sdp) =>
  sdp.replace(/(a=rtpmap:(\d+) opus\/48000\/2\r\n[^]*?a=fmtp:\2 [^\r\n]*)/i, '$1;stereo=1');

/** Converts a server's refusal to an error of the player. @param {Response} response */
function refused(response) {
  const { status } = response;
  // A server without WebRTC refuses the method, or answers with an HTML page.
  const json = /json/.test(response.headers.get('content-type') ?? '');
  if (status === 405 || status === 501 || (status === 404 && !json)) return { code: 'no-webrtc' };
  if (status === 406 || status === 415 || status === 400) return { code: 'codec-unsupported' };
  return refusal(status);
}

/** @param {string} sdp */
const ufrag = (sdp) => /a=ice-ufrag:(\S+)/.exec(sdp)?.[1];

/**
 * Returns the address to which an offer to play a stream is sent. `play` in the query of a `webrtc://` address is the path of a JSON API to
 * use instead of WHEP, as with SRS.
 * @param {import('./stream-address.js').StreamAddress} address
 * @param {number} origin which of its origins
 * @param {string} text the address from the page
 * @returns {{ url: string, streamurl: string }} streamurl: for the JSON API; empty for WHEP
 */
export function playEndpoint(address, origin, text) {
  const api = !address.url && new URLSearchParams(address.search).get('play');
  if (!api) return { url: endpointOf(address, origin, 'whep'), streamurl: '' };
  return { url: address.origins[origin] + `/${api}/`.replace(/\/+/g, '/') + offerQuery(address), streamurl: text };
}

/**
 * Starts a session for `peer`, whose transceivers exist.
 *
 * The offer is sent before candidates are gathered: a server learns the browser's address from its connectivity checks.
 * So the ICE servers in the response arrive in time, and the start needs no wait.
 * @param {RTCPeerConnection} peer
 * @param {{ url: string, streamurl: string }} endpoint
 * @param {(session: Signalling) => void} begun gets the session before the answer arrives, so that the caller can end it
 * @param {AbortSignal} [signal]
 * @param {string} [token]
 * @returns {Promise<string>} the name of the session in SRS's API
 * @throws `{ code, fatal, text }`
 */
export async function negotiate(peer, { url, streamurl }, begun, signal, token = '') {
  const session = new Signalling(url, { refused, unreached: (error) => error });
  begun(session);
  const offer = await peer.createOffer();
  const sdp = stereo(offer.sdp ?? '');
  const reply = await (streamurl
    ? session.offer(JSON.stringify({ api: url, tid: Math.random().toString(16).slice(2, 9), streamurl, clientip: null, sdp }),
      token, signal, 'application/json')
    : session.offer(sdp, token, signal));
  try {
    const answer = streamurl ? read(JSON.parse(reply)) : reply;
    if (session.servers.length) peer.setConfiguration({ ...peer.getConfiguration(), iceServers: session.servers });
    await peer.setLocalDescription({ type: 'offer', sdp });
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
    signal?.throwIfAborted();
    return `${ufrag(sdp)}:${ufrag(answer)}`;
  } catch (error) {
    void session.end();
    throw typeof (/** @type {{ code?: unknown }} */ (error).code) === 'string' ? error : { code: 'http', text: String(error) };
  }
}

/** Returns the answer in a response of SRS's JSON API. @param {{ code?: number, sdp: string, message?: string }} reply */
function read({ code, sdp, message }) {
  if (code) throw { ...refusal(code), text: message };
  return sdp;
}
