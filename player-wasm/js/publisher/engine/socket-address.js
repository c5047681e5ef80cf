// The address of the WebSocket for publishing FLV.

import { parameter } from '../../net/token.js';

/**
 * Returns the address of the WebSocket. A WebSocket has no headers, so the token is part of the address.
 * @param {string} flv
 * @param {string} token empty for none
 */
export function socketOf(flv, token) {
  const url = new URL(flv);
  url.protocol = url.protocol.replace('http', 'ws');
  url.search = [url.search.slice(1), 'action=publish', parameter(token)].filter(Boolean).join('&');
  return url.href;
}
