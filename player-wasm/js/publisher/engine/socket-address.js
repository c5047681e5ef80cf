// The address of the WebSocket that FLV is published to.

import { parameter } from '../../net/token.js';

/**
 * The WebSocket that takes FLV. A WebSocket carries no headers, so the token is part of the address.
 * @param {string} flv
 * @param {string} token empty: none
 */
export function socketOf(flv, token) {
  const url = new URL(flv);
  url.protocol = url.protocol.replace('http', 'ws');
  url.search = [url.search.slice(1), 'action=publish', parameter(token)].filter(Boolean).join('&');
  return url.href;
}
