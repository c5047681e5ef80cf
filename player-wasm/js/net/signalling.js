// WHIP and WHEP (RFC 9725, draft-ietf-wish-whep): an SDP offer goes out by HTTP; an answer comes back, and the address
// of the session.

import { ask, endLater, endSession } from './ask.js';
import { iceServers } from './link.js';
import { bearer, isToken } from './token.js';

/**
 * Makes errors, which differ between playing and publishing.
 * @typedef {object} Errors
 * @property {(response: Response) => unknown} refused of a response that is no success
 * @property {(error: unknown) => unknown} unreached of what fetch() throws when there is no response
 */

/** The signalling of one session. */
export class Signalling {
  /** Address of the session at the server, while there is one. */
  location = '';
  /** ICE servers that the server recommends. @type {RTCIceServer[]} */
  servers = [];
  #url; #errors;
  #ended = false;
  /** Headers of later requests of the session. @type {Record<string, string>} */
  headers = {};

  /** @param {string} url of the endpoint @param {Errors} errors */
  constructor(url, errors) {
    this.#url = url;
    this.#errors = errors;
  }

  /**
   * Sends an offer. Resolves to the body of the response: the answer.
   * @param {string} body
   * @param {string} token empty: none
   * @param {AbortSignal} [signal]
   * @param {string} [type] of the body
   */
  async offer(body, token, signal, type = 'application/sdp') {
    // A token is used up by the offer; from then on the session's address is the key. A secret goes along.
    this.headers = isToken(token) ? {} : bearer(token);
    const response = await this.send('POST', this.#url, { 'content-type': type, ...bearer(token) }, body, signal);
    const location = response.headers.get('location');
    if (location) {
      this.location = new URL(location, response.url || this.#url).href;
      endLater(this.location, this.headers);
    }
    if (this.#ended) {
      // The session was given up while the server answered.
      void this.end();
      throw { code: 'closed' };
    }
    this.servers = iceServers(response.headers.get('link') ?? '');
    return response.text();
  }

  /**
   * Ends the session, also while the page goes away, and then closes its peer connection. The other way round the
   * server would hear of the closing first, and not know the session any more.
   * @param {RTCPeerConnection | null} [peer]
   */
  async end(peer) {
    this.#ended = true;
    const { location } = this;
    this.location = '';
    await endSession(location, this.headers);
    peer?.close();
  }

  /**
   * Sends a request; throws when it is refused.
   * @param {string} method
   * @param {string} url
   * @param {Record<string, string>} headers
   * @param {string} body
   * @param {AbortSignal} [signal]
   */
  async send(method, url, headers, body, signal) {
    const response = await ask(url, { method, headers, body }, signal)
      .catch((error) => { throw this.#errors.unreached(error); });
    if (!response.ok) throw await this.#errors.refused(response);
    return response;
  }
}
