// Hosts of a room, each seen and heard to be a certain one: a colour, and a tone. Browsers show and play them as their
// camera and microphone; those without a browser are of a program that costs less.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { until } from '../harness.mjs';

/**
 * Names, colours (red, green and blue), and frequencies in Hz. No two of them are harmonics.
 * @type {Record<string, { rgb: [number, number, number], hertz: number }>}
 */
export const HOSTS = {
  Red: { rgb: [255, 0, 0], hertz: 500 },
  Lime: { rgb: [0, 255, 0], hertz: 620 },
  Blue: { rgb: [0, 0, 255], hertz: 770 },
  Yellow: { rgb: [255, 255, 0], hertz: 950 },
  Cyan: { rgb: [0, 255, 255], hertz: 1180 },
  Magenta: { rgb: [255, 0, 255], hertz: 1460 },
  White: { rgb: [255, 255, 255], hertz: 1810 },
  Gray: { rgb: [128, 128, 128], hertz: 2240 },
  Orange: { rgb: [255, 128, 0], hertz: 2780 },
  Purple: { rgb: [96, 0, 160], hertz: 3440 },
};

/** As ffmpeg names the colour of a host. @param {string} name */
const colour = (name) => `0x${HOSTS[name].rgb.map((level) => level.toString(16).padStart(2, '0')).join('')}`;

const folder = mkdtempSync(join(tmpdir(), 'lianmai-hosts-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Flags of a Chromium whose camera shows a host's colour, and whose microphone hears its tone. @param {string} name */
export function devices(name) {
  const [picture, sound] = [join(folder, `${name}.y4m`), join(folder, `${name}.wav`)];
  const make = (/** @type {string} */ source, /** @type {string[]} */ ...to) => execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, '-t', '1', ...to]);
  make(`color=${colour(name)}:size=320x180:rate=15`, '-pix_fmt', 'yuv420p', picture);
  // Interrupted like speech: a browser takes what goes on and on for noise.
  make(`aevalsrc=0.3*sin(2*PI*${HOSTS[name].hertz}*t)*lt(mod(t\\,0.5)\\,0.4):s=48000`, sound);
  return ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${picture}`, `--use-file-for-fake-audio-capture=${sound}`];
}

/**
 * Starts a program of hosts without browsers.
 * @param {{ http: string, webrtc: string }} gateway
 * @param {string} room
 * @param {boolean} [detail] they show moving pictures, which cost what those of cameras do, and not their colours
 */
export function startHosts(gateway, room, detail = false) {
  const binary = process.env.LIANMAI_HOSTS ?? new URL('../../../target/debug/hosts', import.meta.url).pathname;
  const child = spawn(binary, [new URL(gateway.http).host, gateway.webrtc, room, ...(detail ? ['detail'] : [])], { stdio: ['pipe', 'pipe', 'pipe'] });
  /** @type {{ name: string, event: 'live' | 'left' | 'lost', at?: number, why?: string }[]} */
  const events = [];
  let words = '';
  child.stderr.on('data', (data) => { words += data; });
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)));
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  child.stdin.on('error', () => {});
  const last = (/** @type {string} */ name) => events.findLast((event) => event.name === name);
  /** Waits for an event to be the newest of a host. @param {string} name @param {string} event */
  const is = (name, event) => until(`${name} to be ${event}`, () => {
    if (child.exitCode !== null) throw new Error(`the hosts ended: ${words}`);
    const now = last(name);
    return now?.event === event && now;
  }, () => ({ events, words }));
  return {
    events, last, is, pid: child.pid,
    /** @param {string[]} names */
    join(...names) { for (const name of names) child.stdin.write(`join ${name} ${colour(name)} ${HOSTS[name].hertz}\n`); },
    /** @param {string} name */
    leave(name) { child.stdin.write(`leave ${name}\n`); },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/** In the page: keeps what it sends to the loudspeakers within a test's reach. */
export function ears() {
  const { connect } = AudioNode.prototype;
  /** @param {any[]} to */
  AudioNode.prototype.connect = function (...to) {
    if (to[0] instanceof AudioDestinationNode) {
      const analyser = new AnalyserNode(this.context, { fftSize: 8192, smoothingTimeConstant: 0 });
      connect.call(this, analyser);
      Object.assign(globalThis, { ears: analyser });
    }
    return Reflect.apply(connect, this, to);
  };
}

/** In the page: the colour in each tile. @param {typeof HOSTS} hosts */
function coloursSeen(hosts) {
  const room = /** @type {Element} */ (document.querySelector('srs-room'));
  const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  /** @type {Record<string, string>} */
  const colours = {};
  for (const tile of room.shadowRoot?.querySelectorAll('.tile') ?? []) {
    const video = /** @type {HTMLVideoElement} */ (tile.querySelector('video'));
    let seen = '';
    if (tile.classList.contains('seen') && video.videoWidth) {
      context.drawImage(video, 0, 0, 8, 8);
      const [r, g, b] = context.getImageData(4, 4, 1, 1).data;
      // Conversions between colour spaces change colours by some levels.
      const near = Object.entries(hosts).find(([, { rgb }]) => Math.hypot(r - rgb[0], g - rgb[1], b - rgb[2]) < 60);
      seen = near?.[0] ?? `rgb(${r}, ${g}, ${b})`;
    }
    colours[tile.getAttribute('aria-label') ?? ''] = seen;
  }
  return colours;
}

/** In the page: the hosts whose tones sound at this moment. @param {typeof HOSTS} hosts */
function tonesHeard(hosts) {
  const { ears } = /** @type {{ ears?: AnalyserNode }} */ (/** @type {unknown} */ (globalThis));
  if (!ears) return [];
  const spectrum = new Float32Array(ears.frequencyBinCount);
  ears.getFloatFrequencyData(spectrum);
  const loudest = (/** @type {number} */ hertz, /** @type {number} */ width) => {
    const middle = Math.round(hertz * ears.fftSize / ears.context.sampleRate);
    return Math.max(...spectrum.subarray(middle - width, middle + width + 1));
  };
  // A tone is a line of the spectrum, and its surroundings are darker.
  return Object.entries(hosts).filter(([, { hertz }]) => loudest(hertz, 1) > -70 && loudest(hertz, 1) > loudest(hertz * 1.07, 1) + 12).map(([name]) => name);
}

/** Looks at the spectrum in a row. Tones are interrupted, and have other frequencies for a moment when they begin. */
const LOOKS = 8;

/**
 * Waits until a page shows each of these hosts in its tile, and no other tile, and plays the tone of each other one and no
 * other.
 * @param {import('playwright-core').Page} page
 * @param {string} me
 * @param {string[]} others
 */
export async function meets(page, me, others) {
  const read = () => page.evaluate(coloursSeen, HOSTS);
  const want = JSON.stringify(Object.fromEntries([me, ...others].sort().map((name) => [name === me ? `${name} (you)` : name, name])));
  await until(`${me} sees ${others.join(', ')}`, async () => {
    const colours = await read();
    return JSON.stringify(Object.fromEntries(Object.entries(colours).sort(([a], [b]) => (a < b ? -1 : 1)))) === want;
  }, read);
  /** The tones of the newest looks. @type {string[][]} */
  const looks = [];
  const heard = (/** @type {string} */ name) => looks.filter((tones) => tones.includes(name)).length;
  await until(`${me} hears ${others.join(', ')}, and nobody else`, async () => {
    looks.push(await page.evaluate(tonesHeard, HOSTS));
    if (looks.length > LOOKS) looks.shift();
    return looks.length === LOOKS && Object.keys(HOSTS).every((name) => (others.includes(name) ? heard(name) >= 3 : heard(name) <= 2));
  }, () => looks);
}
