// WHIP and WHEP (RFC 9725, draft-ietf-wish-whep): sends an SDP offer over HTTP, and receives an answer and the address
// of the session.

import { ask, endLater, endSession } from './ask.js';
import { iceServers } from './link.js';
import { bearer, isToken } from './token.js';

/**
 * Creates errors, which differ between playing and publishing.
 * @typedef {object} Errors
 * @property {(response: Response) => unknown} refused for a response other than success
 * @property {(error: unknown) => unknown} unreached for the error of fetch() if there is no response
 */

/** The signalling of one session. */
export class Signalling {
  /** Address of the session at the server, while the session exists. */
  location = '';
  /** ICE servers from the server. @type {RTCIceServer[]} */
  servers = [];
  #url; #errors;
  #ended = false;
  /** Headers for later requests of the session. @type {Record<string, string>} */
  headers = {};

  /** @param {string} url of the endpoint @param {Errors} errors */
  constructor(url, errors) {
    this.#url = url;
    this.#errors = errors;
  }

  /**
   * Sends an offer. Resolves to the body of the response, which is the answer.
   * @param {string} body
   * @param {string} token empty for none
   * @param {AbortSignal} [signal]
   * @param {string} [type] of the body
   */
  async offer(body, token, signal, type = 'application/sdp') {
    // The offer uses the token up; later requests need the session's address only. A secret is sent each time.
    this.headers = isToken(token) ? {} : bearer(token);
    const response = await this.send('POST', this.#url, { 'content-type': type, ...bearer(token) }, body, signal);
    const location = response.headers.get('location');
    if (location) {
      this.location = new URL(location, response.url || this.#url).href;
      endLater(this.location, this.headers);
    }
    if (this.#ended) {
      // The caller gave the session up before the response arrived.
      void this.end();
      throw { code: 'closed' };
    }
    this.servers = iceServers(response.headers.get('link') ?? '');
    return response.text();
  }

  /**
   * Ends the session, also while the page is being closed, and then closes its peer connection. In the other order, the
   * server would notice the closed connection first and no longer know the session.
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
   * Sends a request. Throws if the server refuses it.
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
