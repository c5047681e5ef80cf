// Plays over WebRTC: negotiates with a server by WHEP, or by SRS's JSON API.

import { refusal } from './refusal.js';
import { Signalling } from './signalling.js';
import { endpointOf, offerQuery } from './stream-address.js';

/** Asks for stereo audio: browsers leave it at mono unless told. @param {string} sdp */
export const stereo = (sdp) =>
  sdp.replace(/(a=rtpmap:(\d+) opus\/48000\/2\r\n[^]*?a=fmtp:\2 [^\r\n]*)/i, '$1;stereo=1');

/** What a refusal means to a player. @param {Response} response */
function refused(response) {
  const { status } = response;
  // A server without WebRTC does not know the method, or answers with a page.
  const json = /json/.test(response.headers.get('content-type') ?? '');
  if (status === 405 || status === 501 || (status === 404 && !json)) return { code: 'no-webrtc' };
  if (status === 406 || status === 415 || status === 400) return { code: 'codec-unsupported' };
  return refusal(status);
}

/** @param {string} sdp */
const ufrag = (sdp) => /a=ice-ufrag:(\S+)/.exec(sdp)?.[1];

/**
 * Where an offer to play a stream is sent. `play` in the query of a `webrtc://` address is the path of a JSON API to
 * use instead of WHEP, as with SRS.
 * @param {import('./stream-address.js').StreamAddress} address
 * @param {number} origin which of its origins
 * @param {string} text the address as it was given
 * @returns {{ url: string, streamurl: string }} streamurl: for the JSON API; empty: WHEP
 */
export function playEndpoint(address, origin, text) {
  const api = !address.url && new URLSearchParams(address.search).get('play');
  if (!api) return { url: endpointOf(address, origin, 'whep'), streamurl: '' };
  return { url: address.origins[origin] + `/${api}/`.replace(/\/+/g, '/') + offerQuery(address), streamurl: text };
}

/**
 * Begins a session for what `peer`, whose transceivers are made, receives.
 *
 * The offer goes out before any candidate is gathered: a server learns the browser's address from its connectivity
 * checks. So the server's ICE servers come in time, and nothing is waited for.
 * @param {RTCPeerConnection} peer
 * @param {{ url: string, streamurl: string }} endpoint
 * @param {(session: Signalling) => void} begun gets the session, to end it, before there is an answer
 * @param {AbortSignal} [signal]
 * @param {string} [token]
 * @returns {Promise<string>} SRS's name for the session
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

/** The answer of SRS's JSON API. @param {{ code?: number, sdp: string, message?: string }} reply */
function read({ code, sdp, message }) {
  if (code) throw { ...refusal(code), text: message };
  return sdp;
}
