// A network between a browser and a gateway's UDP port that loses datagrams and lets them overtake each other.

import { createSocket } from 'node:dgram';

/**
 * @typedef {object} Weather
 * @property {number} loss    the part of all datagrams that never arrives, 0 to 1
 * @property {number} delay   milliseconds that each takes
 * @property {number} jitter  up to so many more or fewer, for each on its own
 */

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). @param {number} seed */
function random(seed) {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** One direction. @param {(data: Buffer) => void} deliver */
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
    /** @param {Buffer} data */
    send(data) {
      const { loss, delay, jitter } = weather;
      // Both are drawn for each datagram, so that the course does not depend on what is lost.
      const [lost, late] = [chance() < loss, delay + (2 * chance() - 1) * jitter];
      counts.sent++;
      if (lost) counts.lost++;
      else if (late > 0) setTimeout(deliver, late, data);
      else deliver(data);
    },
  };
}

/** @param {import('node:dgram').Socket} socket @returns {Promise<number>} its port */
const bind = (socket) => new Promise((resolve, reject) => {
  socket.once('error', reject);
  socket.bind(0, '127.0.0.1', () => resolve(socket.address().port));
});

/**
 * Starts a relay to a port of 127.0.0.1, for one client: the one that was heard last.
 * @param {number} to
 */
export async function startRelay(to) {
  const [near, far] = [createSocket('udp4'), createSocket('udp4')];
  /** @type {import('node:dgram').RemoteInfo | null} */ let client = null;
  let open = true;
  const down = way((data) => { if (open && client) near.send(data, client.port, client.address); });
  const up = way((data) => { if (open) far.send(data, to, '127.0.0.1'); });
  near.on('message', (data, from) => { client = from; up.send(data); });
  far.on('message', (data) => down.send(data));
  const [port] = await Promise.all([bind(near), bind(far)]);
  return {
    /** Where the client is to send to. */
    port,
    /** Datagrams to the client, and those of them that were lost. */
    counts: () => ({ ...down.counts }),
    /** @param {Weather} weather @param {number} seed */
    change(weather, seed) {
      down.change(weather, seed);
      up.change(weather, seed + 1);
    },
    close() {
      open = false;
      near.close();
      far.close();
    },
  };
}
