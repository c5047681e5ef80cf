// WebRTC signalling: an offer to play goes out by HTTP, an answer comes back (WHEP, or SRS's JSON).

import { ask, endLater, endSession } from './ask.js';
import { refusal } from './connection.js';
import { bearer } from './token.js';

/**
 * The ICE servers of a `Link` header (RFC 9725, 4.6).
 * @param {string} link
 * @returns {RTCIceServer[]}
 */
export function iceServers(link) {
  return [...link.matchAll(/<([^>]+)>([^<]*)/g)].filter(([, , rest]) => /rel="?ice-server/.test(rest)).map(([, urls, rest]) => {
    const value = (/** @type {string} */ name) => new RegExp(`\\b${name}="([^"]*)"`).exec(rest)?.[1];
    const username = value('username');
    return username === undefined ? { urls } : { urls, username, credential: value('credential') };
  });
}

/** Asks for stereo sound: browsers leave it at mono unless told. @param {string} sdp */
export const stereo = (sdp) =>
  sdp.replace(/(a=rtpmap:(\d+) opus\/48000\/2\r\n[^]*?a=fmtp:\2 [^\r\n]*)/i, '$1;stereo=1');

/**
 * What a refusal means.
 * @param {Response} response
 */
function why(response) {
  const { status } = response;
  // What is no signalling at all answers with a page, or does not know the method.
  const json = /json/.test(response.headers.get('content-type') ?? '');
  if (status === 405 || status === 501 || (status === 404 && !json)) return { code: 'no-webrtc' };
  if (status === 406 || status === 415 || status === 400) return { code: 'codec-unsupported' };
  return refusal(status);
}

/** @param {string} sdp */
const ufrag = (sdp) => /a=ice-ufrag:(\S+)/.exec(sdp)?.[1];

/**
 * Negotiates with a server what `peer`, whose transceivers are made, receives.
 *
 * The offer goes out before anything is gathered and has no candidates: a server learns where we are
 * from our own checks. So its ICE servers come in time, and nothing is waited for.
 * @param {RTCPeerConnection} peer
 * @param {string} url
 * @param {string} [streamurl] for SRS's JSON; empty: WHEP
 * @param {AbortSignal} [signal]
 * @param {string} [token]
 * @returns {Promise<{ location: string, id: string }>} the session's address, to end it (empty: it has none), and SRS's name for it
 * @throws `{ code, fatal, text }`
 */
export async function negotiate(peer, url, streamurl = '', signal = undefined, token = '') {
  const offer = await peer.createOffer();
  const sdp = stereo(offer.sdp ?? '');
  const [type, body] = streamurl
    ? ['json', JSON.stringify({ api: url, tid: Math.random().toString(16).slice(2, 9), streamurl, clientip: null, sdp })]
    : ['sdp', sdp];
  const headers = { 'content-type': `application/${type}`, ...bearer(token) };
  const response = await ask(url, { method: 'POST', headers, body }, signal);
  if (!response.ok) throw why(response);
  const location = response.headers.get('location');
  const session = location ? new URL(location, response.url || url).href : '';
  if (session) endLater(session);
  // What a peer is asked while it is closed is never answered.
  const giveBack = () => void end(session);
  if (signal?.aborted) giveBack();
  signal?.addEventListener('abort', giveBack);
  try {
    const answer = streamurl ? read(await response.json()) : await response.text();
    const servers = iceServers(response.headers.get('link') ?? '');
    if (servers.length) peer.setConfiguration({ ...peer.getConfiguration(), iceServers: servers });
    await peer.setLocalDescription({ type: 'offer', sdp });
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
    signal?.throwIfAborted();
    return { location: session, id: `${ufrag(sdp)}:${ufrag(answer)}` };
  } catch (error) {
    if (!signal?.aborted) giveBack();
    throw typeof (/** @type {any} */ (error).code) === 'string' ? error : { code: 'http', text: String(error) };
  } finally {
    signal?.removeEventListener('abort', giveBack);
  }
}

/** The answer of SRS's JSON. @param {any} reply */
function read({ code, sdp, message }) {
  if (code) throw { ...refusal(code), text: message };
  return sdp;
}

/**
 * Ends a session, also while the page goes away, and then its peer: that says goodbye, and the server would
 * not know the session any more.
 * @param {string} location
 * @param {RTCPeerConnection | null} [peer]
 */
export async function end(location, peer = null) {
  await endSession(location);
  peer?.close();
}
