// One connection per room and page: the elements of a room share it. A second connection of the same tab would take the
// seat of the first one.

import { RoomConnection } from './connection.js';

/** @typedef {import('../net/room-messages.js').JoinOptions} JoinOptions */

/** How much a user's wish to join counts: a made-up name, the person's own name, a participant. */
export const RANK = /** @type {const} */ ({ nameless: 0, named: 1, participant: 2 });

/** States in which nobody of the page is in the room, nor about to be. */
const OUTSIDE = ['idle', 'refused', 'closed'];

/** Several files of the package contain this module: the table belongs to the page. */
const TABLE = Symbol.for('lianmai rooms');

/** @typedef {{ connection: RoomConnection, users: Set<Share> }} Shared */

/** @returns {Map<string, Shared>} */
const table = () => (/** @type {any} */ (globalThis)[TABLE] ??= new Map());

/**
 * The address of a room's socket.
 * @param {string} server origin of the gateway, or the folder where a proxy has it; empty: the page's own
 * @param {string} room
 */
export function socketAddress(server, room) {
  const base = new URL(server || location.origin, document.baseURI);
  const url = new URL(`api/v1/rooms/${encodeURIComponent(room)}`, base.href.replace(/[?#].*/, '').replace(/\/*$/, '/'));
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  return url.href;
}

/** An element's part in the connection of a room. The user with the highest rank says how the page joins. */
export class Share {
  #url; #shared; #ontaken;
  /** @type {0 | 1 | 2} */
  rank;
  /** How this user joins; null: it does not. @type {JoinOptions | null} */
  options = null;

  /**
   * @param {string} url of the room's socket
   * @param {0 | 1 | 2} rank one of {@link RANK}
   * @param {() => void} [ontaken] another participant of this page has taken this one's place
   */
  constructor(url, rank, ontaken = () => {}) {
    this.#url = url;
    this.rank = rank;
    this.#ontaken = ontaken;
    const all = table();
    this.#shared = all.get(url) ?? { connection: new RoomConnection({ url }), users: new Set() };
    all.set(url, this.#shared);
    this.#shared.users.add(this);
  }

  get connection() { return this.#shared.connection; }

  /** The user of highest rank among the others that join. */
  get #best() {
    return [...this.#shared.users].filter((user) => user !== this && user.options).sort((a, b) => b.rank - a.rank)[0];
  }

  /** Whether another user says how the page joins: under which name, for example. */
  get follows() { return (this.#best?.rank ?? -1) > this.rank; }

  /** Joins, or takes part in what another user has joined. @param {JoinOptions} options */
  join(options) {
    const best = this.#best;
    this.options = options;
    const { connection } = this;
    if (!best || OUTSIDE.includes(connection.state)) return connection.join(options);
    if (this.rank < RANK.participant && best.rank >= this.rank) return undefined;
    if (best.rank === RANK.participant) {
      best.options = null;
      best.#ontaken();
    }
    return this.#again(options);
  }

  /** Joins in another way, with what the gateway knows of this page. @param {JoinOptions} options */
  #again(options) {
    const { connection } = this;
    const seated = connection.me?.role === 'host' || connection.me?.role === 'guest';
    // Somebody who was invited to the stage keeps that seat; a member of the audience comes in anew.
    if (!seated || options.role === 'audience') connection.leave();
    connection.join(options);
  }

  /** Joins anew, because there is no other way to another name. @param {JoinOptions} options */
  rename(options) {
    this.rank = RANK.named;
    this.options = options;
    this.connection.leave();
    this.connection.join(options);
  }

  /** Leaves the room. Other users stay in it, in their own way. */
  leave() {
    const { connection } = this;
    this.options = null;
    connection.leave();
    const best = this.#best;
    if (best?.options) connection.join(best.options);
  }

  /** Takes note that this user's attempt to join is over. Other users go on in their own way, unless the room is over for them too. */
  quit() {
    const { connection } = this;
    this.options = null;
    const best = this.#best;
    if (best?.options && connection.state === 'refused' && connection.error?.code !== 'removed') connection.join(best.options);
  }

  /** Gives the connection back. The last user ends it; the gateway keeps the seat for some seconds. */
  release() {
    const { users, connection } = this.#shared;
    if (!users.delete(this)) return;
    const joined = this.options !== null;
    this.options = null;
    const best = this.#best;
    if (!best) connection.close();
    else if (joined && this.rank === RANK.participant && best.options) {
      connection.leave();
      connection.join(best.options);
    }
    if (users.size === 0) table().delete(this.#url);
  }
}
