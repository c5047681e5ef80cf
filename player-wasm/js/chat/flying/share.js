// One connection per room and page: elements of the same room share it. A second connection of the same tab would
// take the seat of the first one.

import { RoomConnection } from '../../room/connection.js';

/** @typedef {{ connection: RoomConnection, users: number, named: boolean }} Shared */

/** Several files of the package contain this module: the table belongs to the page. */
const TABLE = Symbol.for('lianmai rooms');

/** @returns {Map<string, Shared>} */
const table = () => (/** @type {any} */ (globalThis)[TABLE] ??= new Map());

/**
 * The address of a room's socket.
 * @param {string} server origin of the gateway, or the folder where a proxy has it; empty: the page's own
 * @param {string} room
 */
export function socketAddress(server, room) {
  const url = new URL(`${server || location.origin}/api/v1/rooms/${encodeURIComponent(room)}`.replace(/([^:])\/\/+/g, '$1/'), document.baseURI);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  return url.href;
}

/**
 * The page's connection to a room; the first user of it joins.
 * @param {string} url of the socket
 * @param {import('../../net/room-messages.js').JoinOptions} options
 * @param {boolean} [named] the name is the person's own: it takes the place of one that was made up
 */
export function enter(url, options, named = false) {
  const all = table();
  const shared = all.get(url) ?? { connection: new RoomConnection({ url }), users: 0, named: false };
  if (!all.has(url)) shared.connection.join(options);
  else if (named && !shared.named) {
    shared.connection.leave();
    shared.connection.join(options);
  }
  shared.named ||= named;
  shared.users++;
  all.set(url, shared);
  return shared.connection;
}

/** Gives the connection back; the last user ends it. @param {string} url */
export function exit(url) {
  const all = table();
  const shared = all.get(url);
  if (!shared || --shared.users > 0) return;
  all.delete(url);
  shared.connection.close();
}
