// What a room of ten hosts takes and costs: node browser/measure-rooms.mjs [join] [appear] [clock] [tiles] [restart]
//
// Nine hosts without a browser publish 640x360 at 30 frames per second and 320x180 at 15, which move; Chromium is the
// tenth. It prints:
//   join      from the press on Join to a frame of each of the nine in its tile
//   appear    from a host's first frame to that host's first frame in a tile of the others
//   clock     from a clock painted in one host's camera to that clock in the other's tile, two hosts of 1280x720
//   tiles     CPU time of all processes of a Chromium that shows and plays nine hosts, as audience and as host
//   restart   from the end of a gateway, and from the start of the next, to nine hosts that are seen and heard again

import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

import { launchServer, until } from './harness.mjs';
import { HOSTS, startHosts } from './support/hosts.mjs';
import { startRooms } from './support/rooms.mjs';

const wanted = process.argv.slice(2);
const asked = (/** @type {string} */ part) => !wanted.length || wanted.includes(part);
const NINE = Object.keys(HOSTS).slice(1);
const CAMERA = ['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream', '--mute-audio'];
const JOINS = 10;
/** Seconds in which CPU time is counted. */
const WINDOW = 20;

const ms = (/** @type {number[]} */ values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (/** @type {number} */ part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, worst ${at(1)} ms (${values.length})`;
};
const load = () => `load ${loadavg()[0].toFixed(1)}`;
const say = (/** @type {string} */ text) => console.log(`${text}; ${load()}`);

/** In the page: looks at tiles and connections. */
function tools() {
  /** @type {RTCPeerConnection[]} */
  const peers = [];
  const page = /** @type {any} */ (globalThis);
  page.RTCPeerConnection = class extends RTCPeerConnection {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      peers.push(this);
    }
  };
  const tiles = () => [...page.document.querySelector('srs-room').shadowRoot.querySelectorAll('.tile')].map((/** @type {HTMLElement} */ tile) => {
    const video = /** @type {HTMLVideoElement} */ (tile.querySelector('video'));
    const label = tile.getAttribute('aria-label') ?? '';
    return { label, mine: label.includes('(you)'), video, frames: tile.classList.contains('seen') ? video.getVideoPlaybackQuality().totalVideoFrames : 0 };
  });
  /** Runs `check` until it is true. @param {() => unknown} check */
  const soon = async (check) => { while (!await check()) await new Promise((resolve) => { setTimeout(resolve, 5); }); };
  const joined = async (/** @type {number} */ count) => {
    const began = performance.now();
    [...page.document.querySelector('srs-room').shadowRoot.querySelectorAll('button')].find((button) => /^Join/.test(button.textContent)).click();
    await soon(() => tiles().filter(({ mine, frames }) => !mine && frames > 0).length === count);
    return performance.now() - began;
  };
  const appeared = async (/** @type {string} */ name) => {
    await soon(() => tiles().some(({ label, frames }) => label.startsWith(name) && frames > 0));
    return Date.now();
  };
  /** How many others are seen to move, and how many are heard, since the last call. */
  let before = new Map();
  const media = async () => {
    const now = new Map();
    const shown = tiles().filter(({ mine }) => !mine);
    for (const { video } of shown) now.set(video, video.currentTime);
    let audio = 0;
    for (const peer of peers) {
      if (peer.connectionState !== 'connected') continue;
      for (const report of (await peer.getStats()).values()) {
        if (report.type !== 'inbound-rtp' || report.kind !== 'audio') continue;
        now.set(peer, report.packetsReceived);
        if (before.has(peer) && report.packetsReceived > before.get(peer)) audio++;
      }
    }
    const video = shown.filter((one) => before.has(one.video) && one.video.currentTime > before.get(one.video)).length;
    before = now;
    return { video, audio };
  };
  Object.assign(page, { tiles, joined, appeared, media });
}

/** In the page: the camera shows a clock. */
function clock() {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    if (!constraints?.video) return stream;
    const [width, height] = [1280, 720];
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    // Twenty bits of the time in milliseconds, as black and white fields, on a picture that changes.
    setInterval(() => {
      const now = Date.now();
      paint.fillStyle = `hsl(${now / 20 % 360} 60% 50%)`;
      paint.fillRect(0, 0, width, height);
      for (let bit = 0; bit < 20; bit++) {
        paint.fillStyle = now >> bit & 1 ? '#fff' : '#000';
        paint.fillRect(bit * 64, 320, 64, 64);
      }
    }, 33);
    return new MediaStream([...stream.getAudioTracks(), ...canvas.captureStream(30).getVideoTracks()]);
  };
}

/** In the page: reads the other's clock for some milliseconds. @param {number} duration */
function readClock(duration) {
  const { tiles } = /** @type {any} */ (globalThis);
  const video = /** @type {HTMLVideoElement} */ (tiles().find((/** @type {{ mine: boolean }} */ { mine }) => !mine).video);
  const eye = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1280, 64).getContext('2d', { willReadFrequently: true }));
  /** @type {number[]} */
  const delays = [];
  const began = performance.now();
  return new Promise((resolve) => {
    const look = (/** @type {number} */ _, /** @type {VideoFrameCallbackMetadata} */ { presentationTime }) => {
      if (performance.now() - began > duration) return resolve({ delays, width: video.videoWidth });
      video.requestVideoFrameCallback(look);
      const shown = Date.now() - (performance.now() - presentationTime);
      const scale = video.videoWidth / 1280;
      eye.drawImage(video, 0, 320 * scale, 1280 * scale, 64 * scale, 0, 0, 1280, 64);
      const { data } = eye.getImageData(0, 32, 1280, 1);
      let then = 0;
      for (let bit = 0; bit < 20; bit++) if (data[(bit * 64 + 32) * 4] > 127) then |= 1 << bit;
      // The clock has whole milliseconds, so a picture may seem to be a little early.
      delays.push(((shown - then + 100) % 2 ** 20 + 2 ** 20) % 2 ** 20 - 100);
      return undefined;
    };
    video.requestVideoFrameCallback(look);
  });
}

/** Seconds of CPU time that a process and those that it has started have used. @param {number} root */
function cpu(root) {
  /** @type {Map<number, { parent: number, ticks: number }>} */
  const all = new Map();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      all.set(Number(name), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // It has ended meanwhile.
    }
  }
  const own = (/** @type {number} */ pid) => { for (let at = pid; at > 1; at = all.get(at)?.parent ?? 0) if (at === root) return true; return false; };
  return [...all].reduce((sum, [pid, { ticks }]) => sum + (own(pid) ? ticks / 100 : 0), 0);
}

const rooms = await startRooms();
const started = [];
const hosts = startHosts(rooms.gateway, 'ten', true);
started.push(hosts);
const permissions = ['camera', 'microphone'];
try {
  const server = await launchServer(CAMERA);
  started.push({ stop: () => server.close() });
  const open = (/** @type {string} */ path, /** @type {any} */ more = {}) => rooms.open(path, { by: server.browser, permissions, init: [tools, null], ...more });
  const nine = (/** @type {Awaited<ReturnType<typeof open>>} */ { page }) => page.evaluate(() => /** @type {any} */ (globalThis).joined(9));
  const preview = (/** @type {Awaited<ReturnType<typeof open>>} */ { page }) => page.waitForFunction(() => document.querySelector('srs-room')?.shadowRoot?.querySelector('.preview.seen'));
  hosts.join(...NINE);
  for (const name of NINE) await hosts.is(name, 'live');

  if (asked('join')) {
    const times = [];
    for (let n = 0; n < JOINS; n++) {
      const one = await open(`/rooms/ten?name=Joe${n}`);
      await preview(one);
      times.push(await nine(one));
      await one.press('Leave the room');
      await one.state('closed');
      await one.close();
    }
    say(`Join pressed to all nine others visible: ${ms(times)}; target 1000 ms`);
  }

  if (asked('appear')) {
    const one = await open('/rooms/ten?name=Joe');
    await preview(one);
    await nine(one);
    const times = [];
    for (let n = 0; n < JOINS; n++) {
      hosts.leave('Purple');
      await hosts.is('Purple', 'left');
      await one.look('no Purple', ({ tiles }) => tiles.every(({ label }) => !label.startsWith('Purple')));
      const seen = one.page.evaluate(() => /** @type {any} */ (globalThis).appeared('Purple'));
      hosts.join('Purple');
      times.push(await seen - Number((await hosts.is('Purple', 'live')).at));
    }
    say(`a host's first frame to that host in a tile of ten: ${ms(times)}; target 500 ms`);
    await one.close();
  }

  if (asked('tiles')) {
    const idle = cpu(server.pid);
    await new Promise((resolve) => { setTimeout(resolve, 5_000); });
    const rest = (cpu(server.pid) - idle) / 5;
    for (const [as, text] of [['audience', 'nine tiles and nine voices'], ['host', 'the same with the own camera of 1280x720 at 30']]) {
      const one = await open(`/rooms/ten?name=Joe&as=${as}`, as === 'audience' ? { permissions: [] } : {});
      if (as === 'host') await preview(one);
      await nine(one);
      // Full pictures that came first have been replaced, and bit rates have settled.
      await new Promise((resolve) => { setTimeout(resolve, 8_000); });
      const before = cpu(server.pid);
      const frames = () => one.page.evaluate(() => /** @type {any} */ (globalThis).tiles().filter((/** @type {any} */ { mine }) => !mine).map((/** @type {any} */ { frames }) => frames));
      const first = await frames();
      await new Promise((resolve) => { setTimeout(resolve, WINDOW * 1000); });
      const used = (cpu(server.pid) - before) / WINDOW;
      const rate = (await frames()).map((/** @type {number} */ count, /** @type {number} */ at) => (count - first[at]) / WINDOW);
      say(`${text}: ${Math.round(used * 100)} % of a core (without a room ${Math.round(rest * 100)} %), ${(rate.reduce((a, b) => a + b, 0) / rate.length).toFixed(1)} frames a second in each of ${rate.length} tiles; target 40 %`);
      await one.press('Leave the room');
      await one.state('closed');
      await one.close();
    }
  }

  if (asked('restart')) {
    const one = await open('/rooms/ten?name=Joe');
    await preview(one);
    await nine(one);
    const media = () => one.page.evaluate(() => /** @type {any} */ (globalThis).media());
    const all = async () => { const { video, audio } = await media(); return video === 9 && audio === 9; };
    await until('nine seen and heard', all, media);
    /** @type {number[]} */
    const ends = [];
    /** @type {number[]} */
    const starts = [];
    for (let n = 0; n < 5; n++) {
      let ended = 0;
      await rooms.restart(async () => { ended = performance.now(); });
      const began = performance.now();
      await until('nine seen and heard again', async () => (await one.read()).state === 'joined' && await all(), media);
      const back = performance.now();
      ends.push(back - ended);
      starts.push(back - began);
    }
    say(`gateway restarted, nine seen and heard again: ${ms(ends)} after the old one ended, ${ms(starts)} after the new one listened; target 5000 ms`);
    await one.close();
  }
  hosts.leave('Purple');

  if (asked('clock')) {
    await Promise.all(started.splice(0).reverse().map(({ stop }) => stop()));
    const other = await launchServer(CAMERA);
    started.push({ stop: () => other.close() });
    const pages = [];
    for (const name of ['Anna', 'Ben']) {
      const one = await rooms.open(`/rooms/clock?name=${name}`, { by: other.browser, permissions, init: [clock, null] });
      pages.push(one);
      await one.page.evaluate(tools);
      await one.join();
    }
    await pages[1].look('the large picture', ({ tiles }) => tiles.some(({ label, width }) => label === 'Anna' && width >= 640));
    // Bit rates settle.
    await pages[1].page.evaluate(readClock, 10_000);
    const { delays, width } = /** @type {{ delays: number[], width: number }} */ (await pages[1].page.evaluate(readClock, 20_000));
    say(`host to host by a clock in the picture, ${width} pixels wide: ${ms(delays)}; target p50 60 ms`);
  }
} finally {
  await Promise.all(started.map(({ stop }) => stop()));
  await rooms.stop();
}
