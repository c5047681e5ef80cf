// What a page downloads, compressed as a server would, within its budget.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';

/** What plays FLV and MPEG-TS, by the script tag, which knows the names of all the rest. */
const PLAYER = 77.2 * 1000;
/** What a page loads besides when it plays an address of WebRTC, and of HLS. */
const WEBRTC = 8 * 1000;
const HLS = 4.2 * 1000;
/** Not on the way of either: the module's other entries, the names of srs.sdk.js, captions and viewers, the picture of
 * audio alone, media keys, files that the browser plays itself, the timeline, and the wasm once more for where its file is missing. */
const OTHERS = ['index', 'define-player', 'sdk', 'extras', 'media-session', 'meter', 'native', 'timeline', 'wasm-inline'].map((name) => `srs-player/${name}.js`);
const dist = new URL('../../player-wasm/dist/', import.meta.url).pathname;

/** Fetched only by pages that publish. */
const PUBLISHER = /publish/;

function wireSize(file) {
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } };
  return brotliCompressSync(readFileSync(join(dist, file)), options).length;
}

test('the player is at most 77.2 kB on the wire, WebRTC 8 kB and HLS 4.2 kB more', () => {
  const modules = readdirSync(join(dist, 'srs-player')).map((name) => `srs-player/${name}`);
  const files = ['srs-player.js', ...modules].filter((name) => /\.(js|wasm)$/.test(name) && !PUBLISHER.test(name));
  const sizes = files.map((file) => ({ file, brotli: wireSize(file) })).sort((a, b) => b.brotli - a.brotli);
  const sum = (list) => list.reduce((total, entry) => total + entry.brotli, 0);
  console.table(sizes);
  const wasm = sizes.filter(({ file }) => file.endsWith('.wasm'));
  assert.equal(wasm.length, 1);
  const webrtc = sizes.filter(({ file }) => file === 'srs-player/rtc.js');
  assert.equal(webrtc.length, 1);
  const hls = sizes.filter(({ file }) => /\/hls(-variants)?\.js$/.test(file));
  assert.equal(hls.length, 2);
  const player = sizes.filter((entry) => !webrtc.includes(entry) && !hls.includes(entry) && !OTHERS.includes(entry.file));
  console.log(`player on the wire: ${sum(player)} of ${PLAYER} bytes, of which wasm ${sum(wasm)}`);
  console.log(`more on the wire: WebRTC ${sum(webrtc)} of ${WEBRTC} bytes, HLS ${sum(hls)} of ${HLS} bytes`);
  assert.ok(sum(player) <= PLAYER, `${sum(player)} bytes`);
  assert.ok(sum(webrtc) <= WEBRTC, `${sum(webrtc)} bytes`);
  assert.ok(sum(hls) <= HLS, `${sum(hls)} bytes`);
});

test('what publishes is at most 28.9 kB on the wire', () => {
  const files = readdirSync(join(dist, 'srs-player')).filter((name) => /^publisher.*\.js$/.test(name));
  const sizes = files.map((file) => ({ file, brotli: wireSize(`srs-player/${file}`) }));
  console.table(sizes);
  const sum = sizes.reduce((total, { brotli }) => total + brotli, 0);
  assert.ok(files.length >= 4 && sum <= 28_900, `${sum} bytes`);
  // The half of srs.sdk.js that publishes does without the element.
  assert.ok(wireSize('srs-player/sdk-publish.js') <= 6_500);
});
