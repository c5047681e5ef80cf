// Returns the endpoints to which an address publishes.

import { elsewhere, endpointOf, readAddress } from '../../net/stream-address.js';

/**
 * @typedef {object} Endpoint
 * @property {string} whip address for the offer; empty if the server accepts this stream only as FLV
 * @property {string} flv  address of the same stream as FLV over a WebSocket; empty if not known
 */

/**
 * Returns the endpoints of `webrtc://host/app/stream?…`, of a WHIP address or of one that ends in `.flv`, in the order to try.
 * @param {string} text may be relative to the page
 * @param {string} base the page's address
 * @returns {Endpoint[]} none for another address
 */
export function endpoints(text, base) {
  const address = text.trim() ? readAddress(text, base) : null;
  if (!address) return [];
  const { origins, url, endpoint, name } = address;
  if (/^[^?]*\.flv(\?|$)/.test(url)) return [{ whip: '', flv: url }];
  // Every other HTTP address counts as an endpoint.
  if (url && !endpoint) return [{ whip: url, flv: '' }];
  return origins.map((_, n) => ({ whip: endpointOf(address, n, 'whip'), flv: name && elsewhere(address, n, 'flv') }));
}

/** Returns whether to try the next endpoint after a failure: no server answered, or the server is another program. @param {string} code */
export const isElsewhere = (code) => code === 'network' || code === 'no-webrtc';
