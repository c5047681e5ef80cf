// ICE restarts (RFC 9725, section 4.3.2): moves a session to another network.

import { PublishError } from './error.js';

/**
 * Requests an ICE restart. Resolves to the server's SDP fragment.
 * @param {import('../../net/signalling.js').Signalling} session
 * @param {string} sdp of the new offer
 * @param {AbortSignal} signal
 */
export async function restart(session, sdp, signal) {
  const headers = { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*', ...session.headers };
  return (await session.send('PATCH', session.location, headers, fragment(sdp), signal)).text();
}

/**
 * Returns the ICE fragment of an SDP (RFC 8840): its credentials, and the candidates of its first section, with which the others are bundled.
 * @param {string} sdp
 */
export function fragment(sdp) {
  const [session = '', media = ''] = sdp.split(/^(?=m=)/m);
  const lines = (/** @type {RegExp} */ what) => [...(session + media).matchAll(what)].map(([line]) => line);
  return [
    ...lines(/^a=ice-(ufrag|pwd):.*$/gm),
    ...lines(/^m=.*$/gm),
    ...lines(/^a=(mid:|candidate:).*$/gm),
    'a=end-of-candidates', '',
  ].map((line) => line.trimEnd()).join('\r\n');
}

/**
 * Returns the previous answer with the credentials and candidates of an ICE restart.
 * @param {string} answer
 * @param {string} part the server's fragment
 */
export function restarted(answer, part) {
  const value = (/** @type {string} */ name) => new RegExp(`^a=${name}:(.*?)\\s*$`, 'm').exec(part)?.[1];
  const [ufrag, pwd] = [value('ice-ufrag'), value('ice-pwd')];
  if (!ufrag || !pwd) throw new PublishError('http', 'the answer to the ICE restart has no credentials');
  const found = (/** @type {string} */ text) => [...text.matchAll(/^a=candidate:.*$/gm)].map(([line]) => line);
  // A fragment without candidates means that the server has not moved. The old candidates contain the old credentials.
  const candidates = (found(part).length ? found(part) : found(answer))
    .map((line) => `${line.replace(/ ufrag \S+/, '')}\r\n`).join('');
  const kept = answer.replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, '')
    .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${ufrag}`)
    .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${pwd}`);
  const [session = '', media = '', ...others] = kept.split(/^(?=m=)/m);
  return [session, media, candidates, ...others].join('');
}
