// What the tests of rooms share: a gateway, a browser with fake cameras, pages of rooms, encoders, lost sockets.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';

import WebSocket from 'ws';

import { launch, openPage, startGateway, until } from '../harness.mjs';
import { startRelay } from './relay.mjs';

/** Where pictures of the pages are put, to be looked at; without it none are taken. */
export const { SHOTS } = process.env;
const CAPTURE = ['--use-fake-device-for-media-stream=device-count=3,fps=10', '--use-fake-ui-for-media-stream', '--mute-audio'];

/**
 * @typedef {{ label: string, width: number, currentTime: number, speaks: boolean, large: boolean }} Tile
 * @typedef {{ state: string, error?: string, me: { id: string, name: string, role: string, key: string } | null, peers: number, tiles: Tile[] }} Seen
 */

/** Counts the page's WebRTC connections, and keeps the tracks of its devices. @param {number} port of a relay for media; 0: none */
function spy(port) {
  const page = /** @type {any} */ (globalThis);
  page.peers = 0;
  page.RTCPeerConnection = class extends RTCPeerConnection {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      page.peers++;
    }
    /** @param {RTCSessionDescriptionInit} description */
    setRemoteDescription({ type, sdp = '' }) {
      // The relay is the only way: no other address, no TCP.
      const lines = sdp.split('\r\n').filter((line) => !port || !line.startsWith('a=candidate') || / udp /i.test(line))
        .map((line) => (port ? line.replace(/^(a=candidate:\S+ \d+ udp \d+) \S+ \d+/i, `$1 127.0.0.1 ${port}`) : line));
      return super.setRemoteDescription({ type, sdp: lines.join('\r\n') });
    }
  };
  /** @type {MediaStreamTrack[]} */
  page.captured = [];
  const { mediaDevices } = navigator;
  if (!mediaDevices) return;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    page.captured.push(...stream.getTracks());
    return stream;
  };
}

/** What a page shows. @returns {Seen} */
function look() {
  const room = /** @type {any} */ (document.querySelector('srs-room'));
  const tiles = [...room.shadowRoot.querySelectorAll('.tile')].map((tile) => {
    const { videoWidth: width, currentTime } = tile.querySelector('video');
    const has = (/** @type {string} */ name) => tile.classList.contains(name);
    return { label: tile.getAttribute('aria-label'), width: has('seen') ? width : 0, currentTime, speaks: has('speaks'), large: has('large') };
  });
  return { state: room.state, error: room.connection?.error?.code, me: room.me, peers: /** @type {any} */ (globalThis).peers, tiles };
}

/**
 * Carries the TCP connections of a page to the gateway, until they are cut. Media go by UDP, beside it.
 * @param {string} to address of the gateway: `http://host:port`
 */
async function startWire(to) {
  const { hostname, port } = new URL(to);
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  let broken = false;
  const server = createServer((near) => {
    if (broken) return void near.on('error', () => {}).destroy();
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const cut = () => { for (const socket of sockets) socket.destroy(); };
  return {
    http: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`, cut,
    /** Ends all connections and lets none come until {@link mend}. */
    break() {
      broken = true;
      cut();
    },
    mend() { broken = false; },
    close: () => {
      cut();
      server.close();
    },
  };
}

/** Starts a gateway and a browser. @param {string[]} [flags] of Chromium @param {string[]} [settings] of the gateway @param {Record<string, string>} [variables] of its environment */
export async function startRooms(flags = [], settings = [], variables = {}) {
  let gateway = await startGateway(settings, undefined, variables);
  const browser = await launch([...CAPTURE, ...flags]);
  /** @type {Set<import('node:child_process').ChildProcess>} */
  const children = new Set();
  /** Ways to the gateway that tests have changed. @type {{ close: () => void }[]} */
  const ways = [];

  /** A page of a room, with ways to see what it does. @param {string} path @param {import('playwright-core').BrowserContextOptions & { from?: string, relay?: number, init?: [(argument: any) => void, any], by?: import('playwright-core').Browser }} [options] */
  async function open(path, { from = gateway.http, relay = 0, init, by = browser, ...options } = {}) {
    const opened = await openPage(by, { viewport: { width: 1280, height: 720 }, ...options });
    const { page } = opened;
    await page.addInitScript(spy, relay);
    if (init) await page.addInitScript(...init);
    await page.goto(`${from}${path}`);
    await page.waitForFunction(() => customElements.get('srs-room'));
    const read = () => page.evaluate(look);
    const seen = (/** @type {string} */ what, /** @type {(seen: Seen) => unknown} */ check) => until(what, async () => check(await read()), read);
    const state = (/** @type {string} */ name) => seen(`state ${name}`, (room) => room.state === name);
    const join = async () => {
      await page.getByRole('button', { name: /^(Join|Join again|加入)$/ }).click();
      await state('joined');
    };
    /** All tiles of others have a picture that moves. @param {string[]} labels */
    const sees = async (...labels) => {
      await seen(`tiles ${labels.join('; ')}`, ({ tiles }) => JSON.stringify(tiles.map(({ label }) => label).sort()) === JSON.stringify([...labels].sort())
        && tiles.every(({ width, label }) => width > 0 || /camera off/.test(label)));
      const { tiles: first } = await read();
      await seen('pictures that move', ({ tiles }) => tiles.every(({ label, currentTime }) => /camera off/.test(label) || currentTime > (first.find((one) => one.label === label)?.currentTime ?? 0)));
    };
    const hears = (/** @type {string} */ name) => seen(`the sound of ${name}`, ({ tiles }) => tiles.some(({ label, speaks }) => label.startsWith(name) && speaks));
    const press = (/** @type {string | RegExp} */ name) => page.getByRole('button', { name: typeof name === 'string' ? new RegExp(`^${name}(, \\d+)?$`) : name }).click();
    /** Takes a picture of the page, if somebody wants to look at it. @param {string} name */
    const shot = async (name) => {
      if (!SHOTS) return;
      mkdirSync(SHOTS, { recursive: true });
      await page.screenshot({ path: `${SHOTS}/${name}.png` });
    };
    /** Waits for something of this page; `explain` runs in it. @param {string} what @param {() => Promise<unknown>} check @param {() => unknown} explain */
    const wait = (what, check, explain) => until(what, check, () => page.evaluate(explain));
    return { ...opened, read, until: wait, look: seen, state, join, sees, hears, press, shot };
  }

  /** Somebody in a room who uses no browser. @param {string} room @param {string} name @param {string} role */
  async function member(room, name, role) {
    const socket = new WebSocket(`${gateway.http.replace('http', 'ws')}/api/v1/rooms/${room}`);
    /** @type {any[]} */
    const got = [];
    socket.on('message', (data) => got.push(...JSON.parse(String(data))));
    const send = (/** @type {object} */ message) => socket.send(JSON.stringify(message));
    socket.on('open', () => send({ type: 'join', version: 1, name, role }));
    await until(`${name} to be in the room`, () => got.some(({ type }) => type === 'welcome'));
    /** The newest message of a type. @param {string} type */
    const last = (type) => got.findLast((message) => message.type === type);
    return { got, send, last, close: () => socket.close() };
  }

  /**
   * Publishes a picture to a room, as OBS would.
   * @param {string} room
   * @param {string} name
   * @param {string} [video] the source of its picture, as ffmpeg names it
   * @param {string} [audio] the source of its sound
   */
  function encode(room, name, video = `testsrc2=size=320x180:rate=8,hue=h=${name.charCodeAt(name.length - 1) * 37}`, audio = 'anullsrc=cl=stereo:r=48000') {
    const child = spawn('ffmpeg', [
      '-v', 'error', '-re', '-f', 'lavfi', '-i', video, '-f', 'lavfi', '-i', audio,
      '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '16', '-b:v', '100k', '-c:a', 'aac', '-f', 'flv', `${gateway.rtmp}/${room}/${name}`,
    ], { stdio: 'ignore' });
    children.add(child);
    child.on('exit', () => children.delete(child));
  }

  return {
    open, encode, member, browser,
    get gateway() { return gateway; },
    /** A way to the gateway that can be cut. */
    async wire() {
      const wire = await startWire(gateway.http);
      ways.push(wire);
      return wire;
    },
    /** A network for media that can lose some. */
    async relay() {
      const relay = await startRelay(Number(gateway.webrtc.split(':').at(-1)));
      ways.push(relay);
      return relay;
    },
    /** Ends all encoders, as a loss of power would. */
    stopEncoders() { for (const child of children) child.kill('SIGKILL'); },
    /** Starts the gateway again; `meanwhile` runs while there is none. @param {() => Promise<unknown>} meanwhile */
    async restart(meanwhile) {
      const { addresses } = gateway;
      await gateway.stop();
      await meanwhile();
      gateway = await startGateway(settings, addresses, variables);
    },
    async stop() {
      for (const child of children) child.kill('SIGKILL');
      for (const way of ways) way.close();
      await browser.close();
      await gateway.stop();
    },
  };
}

/** How many sessions for media the gateway has begun, and how many of them have ended. @param {{ log: () => string }} gateway */
export function mediaSessions({ log }) {
  const count = (/** @type {RegExp} */ pattern) => log().match(pattern)?.length ?? 0;
  return [count(/protocol="(whip|whep)".* connected/g), count(/protocol="(whip|whep)".* disconnected/g)];
}

/** The page that an assertion is about has no complaints. @param {{ errors: string[] }[]} pages */
export const noErrors = (...pages) => assert.deepEqual(pages.flatMap(({ errors }) => errors), []);
