// A web server with faulty streams: a test scripts the behaviour of each connection.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { bytes, header } from './clips.mjs';

const DIST = new URL('../../../player-wasm/dist/', import.meta.url).pathname;
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };

/** A player's connection, which a test controls. */
export class Connection {
  #write; #close; #held = null;
  closed = false;
  /** The number of this connection to the stream, from 0. */
  constructor(index, write, close) {
    this.index = index;
    this.#write = write;
    this.#close = close;
  }

  /** @param {Buffer} data */
  send(data) {
    if (this.closed) return;
    if (this.#held) this.#held.push(data);
    else this.#write(data);
  }

  /** Holds all data from now on until {@link release}, like an interrupted network. */
  hold() { this.#held ??= []; }

  release() {
    const held = this.#held ?? [];
    this.#held = null;
    for (const data of held) this.send(data);
  }

  close() {
    if (!this.closed) this.#close();
    this.closed = true;
  }

  /**
   * Sends a clip in real time, in a loop.
   * @param {import('./clips.mjs').Clip} clip
   * @param {object} [options]
   * @param {{audio: boolean, video: boolean} | null} [options.promise]  the header's; null sends none
   * @param {number} [options.seconds]  duration; by default until the player disconnects
   * @param {number} [options.join]     milliseconds sent at once, like a cached GOP
   * @param {(time: number) => number} [options.clock]  the timestamps to write
   * @param {(tag: import('./clips.mjs').Tag, time: number) => boolean} [options.filter]
   * @returns {Promise<number>} the stream's milliseconds after the last tag
   */
  async play(clip, { promise, seconds = Infinity, join = 1500, clock = (t) => t, filter = () => true } = {}) {
    const has = (type) => clip.tags.some((tag) => tag.type === type);
    if (promise !== null) this.send(header(promise ?? { audio: has(8), video: has(9) }));
    const begin = performance.now() - join;
    for (let round = 0; ; round++) {
      for (const tag of clip.tags) {
        if (this.closed) return clock(performance.now() - begin);
        if (round && (tag.config || tag.type === 18)) continue;
        const time = tag.time + round * clip.duration;
        if (time > seconds * 1000) return clock(time);
        const wait = begin + time - performance.now();
        if (wait > 1) await sleep(wait);
        if (tag.config || filter(tag, time)) this.send(bytes(tag, clock(time)));
      }
    }
  }
}

/**
 * Starts it.
 * @returns {Promise<{url: string, stream: (name: string, script: (connection: Connection) => unknown) => string,
 *   count: (name: string) => number, close: () => Promise<void>}>}
 */
export async function startServer() {
  const scripts = new Map();
  const counts = new Map();
  /** @type {Set<Connection>} */
  const connections = new Set();

  const run = (name, write, end) => {
    const script = scripts.get(name);
    const index = counts.get(name) ?? 0;
    counts.set(name, index + 1);
    const connection = new Connection(index, write, end);
    connections.add(connection);
    Promise.resolve(script(connection)).catch((error) => console.error(name, error)).finally(() => connection.close());
    return () => {
      connection.closed = true;
      connections.delete(connection);
    };
  };

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    response.setHeader('access-control-allow-origin', '*');
    const name = /^\/live\/(.+)\.flv$/.exec(pathname)?.[1];
    if (name) {
      const script = scripts.get(name);
      if (request.method === 'HEAD') {
        // The player checks whether a slow server answers. This request is not a viewer.
        response.writeHead(typeof script === 'function' ? 200 : script ?? 404).end();
        return;
      }
      if (typeof script === 'number' || !script) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
        response.writeHead(script ?? 404).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'video/x-flv', 'cache-control': 'no-store' });
      response.socket?.setNoDelay(true);
      response.on('close', run(name, (data) => response.write(data), () => response.end()));
      return;
    }
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><meta charset="utf-8"><title>player</title><video id="video" width="640" height="360"></video>');
      return;
    }
    try {
      const body = await readFile(join(DIST, normalize(pathname)));
      response.setHeader('content-type', TYPES[extname(pathname)] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });

  // Just enough of RFC 6455 to send binary messages.
  server.on('upgrade', (request, socket) => {
    const name = /^\/live\/(.+)\.flv$/.exec(new URL(request.url, 'http://localhost').pathname)?.[1];
    if (!name || typeof scripts.get(name) !== 'function') {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
      return;
    }
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n'
      + `sec-websocket-accept: ${accept}\r\n\r\n`);
    const write = (data) => {
      // Only the shortest form of the length is valid.
      const { length } = data;
      const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
      head[0] = 0x82;
      head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
      if (head[1] === 126) head.writeUInt16BE(length, 2);
      if (head[1] === 127) head.writeBigUInt64BE(BigInt(length), 2);
      socket.write(Buffer.concat([head, data]));
    };
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('close', run(name, write, () => socket.end(Buffer.from([0x88, 0]))));
  });

  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/`,
    /** Scripts a stream (or an HTTP status) and returns its address. */
    stream(name, script) {
      scripts.set(name, script);
      return `http://127.0.0.1:${port}/live/${name}.flv`;
    },
    count: (name) => counts.get(name) ?? 0,
    async close() {
      for (const connection of connections) connection.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
