// What a page downloads: the whole player, compressed as a server would, within its budget.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';

const BUDGET = 60 * 1000;
const dist = new URL('../../player-wasm/dist/', import.meta.url).pathname;

/** Fetched only by pages that publish. */
const PUBLISHER = /publish/;

function wireSize(file) {
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } };
  return brotliCompressSync(readFileSync(join(dist, file)), options).length;
}

test('the whole player is at most 60 kB on the wire', () => {
  const modules = readdirSync(join(dist, 'srs-player')).map((name) => `srs-player/${name}`);
  const files = ['srs-player.js', ...modules].filter((name) => /\.(js|wasm)$/.test(name) && !PUBLISHER.test(name));
  const sizes = files.map((file) => ({ file, brotli: wireSize(file) })).sort((a, b) => b.brotli - a.brotli);
  const sum = (list) => list.reduce((total, entry) => total + entry.brotli, 0);
  console.table(sizes);
  const wasm = sizes.filter(({ file }) => file.endsWith('.wasm'));
  console.log(`player on the wire: ${sum(sizes)} of ${BUDGET} bytes, of which wasm ${sum(wasm)}`);
  assert.equal(wasm.length, 1);
  assert.ok(sum(sizes) <= BUDGET, `${sum(sizes)} bytes`);
});

test('what publishes is at most 25 kB on the wire', () => {
  const files = readdirSync(join(dist, 'srs-player')).filter((name) => /^publisher.*\.js$/.test(name));
  const sizes = files.map((file) => ({ file, brotli: wireSize(`srs-player/${file}`) }));
  console.table(sizes);
  const sum = sizes.reduce((total, { brotli }) => total + brotli, 0);
  assert.ok(files.length >= 4 && sum <= 25_000, `${sum} bytes`);
  // The half of srs.sdk.js that publishes does without the element.
  assert.ok(wireSize('srs-player/sdk-publish.js') <= 6_000);
});
