// The download size of a page, compressed as on a server, must be within its budget.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';

const ALL = ['srs-player.js', ...['compat', 'element', 'player'].map((name) => `srs-player/${name}.js`)];
const PIPELINE = ['worker', 'pipeline'].map((name) => `srs-player/${name}.js`);
const module = (/** @type {string} */ name) => [`srs-player/${name}.js`, `srs-player/${name}_bg.wasm`];
/** The files that a page with the script tag downloads to play each kind of address, and their budget in bytes. */
const KINDS = {
  FLV: { budget: 61_700, files: [...ALL, ...PIPELINE, ...module('player_wasm')] },
  'MPEG-TS': { budget: 63_300, files: [...ALL, ...PIPELINE, ...module('player_ts')] },
  HLS: { budget: 66_600, files: [...ALL, ...PIPELINE, ...module('player_ts'), 'srs-player/hls.js', 'srs-player/hls-variants.js'] },
  // What an HLS player fetches besides, once it has seen such a playlist.
  'HLS of fragmented MP4': { budget: 5_500, files: ['srs-player/hls-fmp4.js'] },
  WebRTC: { budget: 21_400, files: [...ALL, 'srs-player/rtc.js'] },
};
/** Files that none of them needs: the module's other entries, the names of srs.sdk.js, captions and viewers, the meter for
 * audio without video, media keys, files that the browser plays itself, the timeline, texts in Chinese, sentences
 * of rare codecs, and a copy of the wasm for hosts that omit its file. */
const OTHERS = ['index', 'define-player', 'sdk', 'extras', 'media-session', 'meter', 'native', 'timeline', 'unplayable', 'words-zh', 'flv-inline', 'ts-inline']
  .map((name) => `srs-player/${name}.js`);
const dist = new URL('../../player-wasm/dist/', import.meta.url).pathname;

/** Fetched only by pages that publish or mix, and by those with a room, a chat or flying messages. */
const PUBLISHER = /publish|room|chat|danmaku|mixer/;

function wireSize(file) {
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } };
  return brotliCompressSync(readFileSync(join(dist, file)), options).length;
}

test('the files for each kind of address are within their budget on the wire', () => {
  const modules = readdirSync(join(dist, 'srs-player')).map((name) => `srs-player/${name}`);
  const files = ['srs-player.js', ...modules].filter((name) => /\.(js|wasm)$/.test(name) && !PUBLISHER.test(name));
  const sizes = new Map(files.map((file) => [file, wireSize(file)]));
  console.table([...sizes].map(([file, brotli]) => ({ file, brotli })).sort((a, b) => b.brotli - a.brotli));
  // Each file must be in a list.
  const known = new Set([...Object.values(KINDS).flatMap(({ files }) => files), ...OTHERS]);
  assert.deepEqual(files.filter((file) => !known.has(file)), []);
  for (const [kind, { budget, files }] of Object.entries(KINDS)) {
    const sum = files.reduce((total, file) => total + (sizes.get(file) ?? NaN), 0);
    console.log(`${kind} on the wire: ${sum} of ${budget} bytes`);
    assert.ok(sum <= budget, `${kind}: ${sum} bytes`);
  }
});

test('the publisher is at most 23.6 kB on the wire', () => {
  const files = readdirSync(join(dist, 'srs-player')).filter((name) => /^publisher.*\.js$/.test(name));
  const sizes = files.map((file) => ({ file, brotli: wireSize(`srs-player/${file}`) }));
  console.table(sizes);
  const sum = sizes.reduce((total, { brotli }) => total + brotli, 0);
  assert.ok(files.length >= 4 && sum <= 23_600, `${sum} bytes`);
  // The publishing half of srs.sdk.js does not need the element.
  assert.ok(wireSize('srs-player/sdk-publish.js') <= 5_800);
});

test('a room is at most 25 kB on the wire before a panel is opened', () => {
  const size = (/** @type {string} */ name) => wireSize(`srs-player/${name}.js`);
  const sum = ['define-room', 'room', 'room-connection'].reduce((total, name) => total + size(name), 0);
  console.log(`room on the wire: ${sum} bytes; later`, Object.fromEntries(['room-panels', 'room-qr', 'room-words-zh'].map((name) => [name, size(name)])));
  assert.ok(sum <= 25_000, `${sum} bytes`);
});

test('chat, list of rooms and flying messages are at most 21 kB on the wire', () => {
  const sum = ['define-chat', 'danmaku'].reduce((total, name) => total + wireSize(`srs-player/${name}.js`), 0);
  console.log(`chat on the wire: ${sum} bytes`);
  assert.ok(sum <= 21_000, `${sum} bytes`);
});

test('the mixer is at most 12.5 kB on the wire, besides the publisher and the WebRTC player', () => {
  const size = (/** @type {string} */ name) => wireSize(`srs-player/${name}.js`);
  const sum = ['define-mixer', 'mixer', 'mixer-worker'].reduce((total, name) => total + size(name), 0);
  console.log(`mixer on the wire: ${sum} bytes; where a worker cannot draw, or in Chinese`, size('mixer-page'), size('mixer-words-zh'));
  assert.ok(sum <= 12_500, `${sum} bytes`);
});
