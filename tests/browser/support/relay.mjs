// A simulated network between a browser and a gateway's UDP port, which drops and reorders datagrams.

import { createSocket } from 'node:dgram';

/**
 * @typedef {object} Weather
 * @property {number} loss    the share of datagrams that are lost, 0 to 1
 * @property {number} delay   milliseconds of delay
 * @property {number} jitter  maximum deviation from the delay, random for each datagram
 */

/** Returns a generator of numbers from 0 to 1, the same for the same seed (mulberry32). @param {number} seed */
function random(seed) {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** One direction. @template T @param {(datagram: T) => void} deliver */
function way(deliver) {
  let chance = random(0);
  /** @type {Weather} */ let weather = { loss: 0, delay: 0, jitter: 0 };
  const counts = { sent: 0, lost: 0 };
  return {
    counts,
    /** @param {Weather} next @param {number} seed */
    change(next, seed) {
      [weather, chance] = [next, random(seed)];
      Object.assign(counts, { sent: 0, lost: 0 });
    },
    /** @param {T} datagram */
    send(datagram) {
      const { loss, delay, jitter } = weather;
      // Draw both numbers for each datagram, so that the sequence does not depend on losses.
      const [lost, late] = [chance() < loss, delay + (2 * chance() - 1) * jitter];
      counts.sent++;
      if (lost) counts.lost++;
      else if (late > 0) setTimeout(deliver, late, datagram);
      else deliver(datagram);
    },
  };
}

/** @param {import('node:dgram').Socket} socket @returns {Promise<number>} its port */
const bind = (socket) => new Promise((resolve, reject) => {
  socket.once('error', reject);
  socket.bind(0, '127.0.0.1', () => resolve(socket.address().port));
});

/**
 * Starts a relay to a port of 127.0.0.1. Each client has its own port on the side of the gateway.
 * @param {number} to
 */
export async function startRelay(to) {
  const near = createSocket('udp4');
  /** The sockets of clients towards the gateway, by the client's address. @type {Map<string, import('node:dgram').Socket>} */
  const clients = new Map();
  let open = true;
  /** @typedef {{ data: Buffer, client: import('node:dgram').RemoteInfo }} Datagram */
  const nameOf = (/** @type {import('node:dgram').RemoteInfo} */ { address, port }) => `${address} ${port}`;
  const down = way((/** @type {Datagram} */ { data, client }) => { if (open) near.send(data, client.port, client.address); });
  const up = way((/** @type {Datagram} */ { data, client }) => { if (open) clients.get(nameOf(client))?.send(data, to, '127.0.0.1'); });
  near.on('message', (data, client) => {
    if (!clients.has(nameOf(client))) {
      const far = createSocket('udp4');
      far.on('message', (answer) => down.send({ data: answer, client }));
      clients.set(nameOf(client), far);
    }
    up.send({ data, client });
  });
  const port = await bind(near);
  return {
    /** The port to which clients send. */
    port,
    /** Number of datagrams to clients, and of lost ones. */
    counts: () => ({ ...down.counts }),
    /** @param {Weather} weather @param {number} seed */
    change(weather, seed) {
      down.change(weather, seed);
      up.change(weather, seed + 1);
    },
    close() {
      open = false;
      for (const socket of [near, ...clients.values()]) socket.close();
    },
  };
}
