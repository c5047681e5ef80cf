// Where an address publishes to.

import { elsewhere, endpointOf, readAddress } from '../../net/stream-address.js';

/**
 * @typedef {object} Endpoint
 * @property {string} whip where the offer is sent; empty: the server takes this stream only as FLV
 * @property {string} flv  the same stream as FLV over a WebSocket; empty: not known
 */

/**
 * The endpoints of `webrtc://host/app/stream?…`, of a WHIP address or of one that ends in `.flv`, in the order to try.
 * @param {string} text may be relative to the page
 * @param {string} base the page's address
 * @returns {Endpoint[]} none: it is no such address
 */
export function endpoints(text, base) {
  const address = text.trim() ? readAddress(text, base) : null;
  if (!address) return [];
  const { origins, url, endpoint, name } = address;
  if (/^[^?]*\.flv(\?|$)/.test(url)) return [{ whip: '', flv: url }];
  // Any other address over HTTP is taken for an endpoint.
  if (url && !endpoint) return [{ whip: url, flv: '' }];
  return origins.map((_, n) => ({ whip: endpointOf(address, n, 'whip'), flv: name && elsewhere(address, n, 'flv') }));
}

/** Whether the next endpoint may do when one has failed: the server does not answer there, or is another one. @param {string} code */
export const isElsewhere = (code) => code === 'network' || code === 'no-webrtc';
