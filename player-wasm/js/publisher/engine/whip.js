// WHIP (RFC 9725): the offer and the answer by HTTP, and a resource that stands for the session.

import { ask, endLater, endSession } from '../../net/ask.js';
import { PublishError, refusal, unreached } from './error.js';
import { bearer, isToken } from '../../net/token.js';

const FRAGMENT = 'application/trickle-ice-sdpfrag';

/** One session's signalling. */
export class Whip {
  /** The session's address, once the server has given it. */
  location = '';
  /** ICE servers that the server recommends. @type {RTCIceServer[]} */
  servers = [];
  #url; #token;
  /** Of the session, for what is asked of it later. @type {Record<string, string>} */ #headers = {};

  /** @param {string} url @param {() => Promise<string>} token empty: none */
  constructor(url, token) {
    this.#url = url;
    this.#token = token;
  }

  /** Sends the offer; the answer's SDP. @param {string} sdp @param {AbortSignal} signal */
  async offer(sdp, signal) {
    const token = await this.#token();
    // A token for one start is used up by it: from then on the session's address is the key.
    this.#headers = isToken(token) ? {} : bearer(token);
    const response = await this.#fetch(this.#url, 'POST', { 'content-type': 'application/sdp', ...bearer(token) }, sdp, signal);
    const location = response.headers.get('location');
    if (location) {
      this.location = new URL(location, response.url || this.#url).href;
      endLater(this.location, this.#headers);
    }
    this.servers = iceServers(response.headers.get('link') ?? '');
    return response.text();
  }

  /** Asks for an ICE restart; the server's new fragment. @param {string} sdp of the new offer @param {AbortSignal} signal */
  async restart(sdp, signal) {
    const headers = { 'content-type': FRAGMENT, 'if-match': '*', ...this.#headers };
    const response = await this.#fetch(this.location, 'PATCH', headers, fragment(sdp), signal);
    return response.text();
  }

  /** Ends the session; works while the page goes away. */
  async delete() {
    const { location } = this;
    this.location = '';
    await endSession(location, this.#headers);
  }

  /**
   * @param {string} url
   * @param {string} method
   * @param {Record<string, string>} headers
   * @param {string} body
   * @param {AbortSignal} signal
   */
  async #fetch(url, method, headers, body, signal) {
    let response;
    try {
      response = await ask(url, { method, headers, body }, signal);
    } catch (error) {
      throw unreached(error);
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/**
 * The servers of a `Link` header: `<turn:host>; rel="ice-server"; username="u"; credential="c"`.
 * @param {string} link
 * @returns {RTCIceServer[]}
 */
export function iceServers(link) {
  return [...link.matchAll(/<((?:stun|turn)s?:[^>]+)>([^<]*)/gi)].flatMap(([, urls = '', rest = '']) => {
    const parameter = (/** @type {string} */ name) => new RegExp(`\\b${name}=("[^"]*"|[^";,]*)`, 'i').exec(rest)?.[1]?.replace(/"/g, '');
    if (parameter('rel') !== 'ice-server') return [];
    const [username, credential] = [parameter('username'), parameter('credential')];
    return [{ urls, ...(username && { username, credential }) }];
  });
}

/**
 * An SDP's ICE part (RFC 8840): its credentials and the candidates of its first, bundled, section.
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
 * The answer that an ICE restart makes of the one before.
 * @param {string} answer
 * @param {string} part the server's fragment
 */
export function restarted(answer, part) {
  const value = (/** @type {string} */ name) => new RegExp(`^a=${name}:(.*?)\\s*$`, 'm').exec(part)?.[1];
  const [ufrag, pwd] = [value('ice-ufrag'), value('ice-pwd')];
  if (!ufrag || !pwd) throw new PublishError('http', 'the answer to the ICE restart has no credentials');
  const found = (/** @type {string} */ text) => [...text.matchAll(/^a=candidate:.*$/gm)].map(([line]) => line);
  // A server that names no new ones is where it was. The old ones tell the old credentials.
  const candidates = (found(part).length ? found(part) : found(answer))
    .map((line) => `${line.replace(/ ufrag \S+/, '')}\r\n`).join('');
  const kept = answer.replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, '')
    .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${ufrag}`)
    .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${pwd}`);
  const [session = '', media = '', ...others] = kept.split(/^(?=m=)/m);
  return [session, media, candidates, ...others].join('');
}
