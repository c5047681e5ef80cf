// Short clips that ffmpeg makes from its own test sources, as lists of FLV tags.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'lianmai-clips-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/**
 * @typedef {object} Tag
 * @property {number} type   8 audio, 9 video, 18 script
 * @property {number} time   milliseconds
 * @property {Buffer} body
 * @property {boolean} config  a sequence header
 * @property {boolean} key
 *
 * @typedef {object} Clip
 * @property {Tag[]} tags
 * @property {number} duration  milliseconds, to loop it without a gap
 */

const made = new Map();

/**
 * Creates a clip with a moving test video and a 440 Hz tone.
 * @param {{size?: string, rate?: number, seconds?: number, gop?: number, audio?: string | null, video?: boolean, bframes?: number}} [options]
 * @returns {Clip}
 */
export function clip(options = {}) {
  const key = JSON.stringify(options);
  if (!made.has(key)) made.set(key, make(options, join(folder, `${made.size}.flv`)));
  return made.get(key);
}

function make({ size = '640x360', rate = 30, seconds = 4, gop = 60, audio = 'aac', video = true, bframes = 0 }, file) {
  const args = ['-v', 'error'];
  if (video) args.push('-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`);
  if (audio) args.push('-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=44100:duration=${seconds}`);
  if (video) {
    args.push('-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', `${bframes}`);
    args.push('-g', `${gop}`, '-keyint_min', `${gop}`, '-sc_threshold', '0');
  }
  if (audio) args.push('-c:a', audio, ...(audio === 'aac' ? ['-b:a', '96k'] : ['-ar', '8000', '-ac', '1']));
  execFileSync('ffmpeg', [...args, '-f', 'flv', '-y', file], { stdio: 'inherit' });
  return { tags: parse(readFileSync(file)), duration: seconds * 1000 };
}

/** @param {Buffer} flv @returns {Tag[]} */
function parse(flv) {
  const tags = [];
  for (let at = 13; at + 11 <= flv.length;) {
    const size = flv.readUIntBE(at + 1, 3);
    const type = flv[at] & 31;
    const body = flv.subarray(at + 11, at + 11 + size);
    const time = flv.readUIntBE(at + 4, 3) + flv[at + 7] * 2 ** 24;
    const classic = type === 9 ? body[1] === 0 : type === 8 && body[0] >> 4 === 10 && body[1] === 0;
    const end = type === 9 && body[1] === 2;
    if (!end) tags.push({ type, time, body, config: classic, key: type === 9 && body[0] >> 4 === 1 });
    at += 11 + size + 4;
  }
  return tags;
}

/** Returns the bytes of a tag with another time. @param {Tag} tag @param {number} time */
export function bytes(tag, time = tag.time) {
  const head = Buffer.alloc(11);
  head[0] = tag.type;
  head.writeUIntBE(tag.body.length, 1, 3);
  head.writeUIntBE(Math.round(time) % 2 ** 24, 4, 3);
  head[7] = Math.floor(Math.round(time) / 2 ** 24) % 256;
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(tag.body.length + 11);
  return Buffer.concat([head, tag.body, tail]);
}

/** Returns an FLV file header with flags for its tracks. @param {{audio: boolean, video: boolean}} promise */
export function header({ audio, video }) {
  return Buffer.from([0x46, 0x4c, 0x56, 1, (audio ? 4 : 0) | (video ? 1 : 0), 0, 0, 0, 9, 0, 0, 0, 0]);
}
