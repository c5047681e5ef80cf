// The list of inputs, sizes and addresses as pages write them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, itemsOf, MAX_INPUTS, sizeOf } from './items.js';

const SERVER = 'https://gateway:8443/';

test('streams of the gateway and addresses', () => {
  assert.equal(addressOf('live/a', SERVER, 'whep'), 'https://gateway:8443/live/a/whep');
  assert.equal(addressOf('/live/a?secret=x', 'http://h', 'whip'), 'http://h/live/a/whip?secret=x');
  for (const kept of ['webrtc://host/live/a', 'https://h/whep?x', '']) assert.equal(addressOf(kept, SERVER, 'whep'), kept);
});

test('inputs are named, bounded, and each id is there once', () => {
  const [plain, full, screen] = itemsOf(['live/a?secret=x', { stream: 'live/b', id: 'b', name: 'Ben', gain: 9, muted: true, hidden: true }, 'show/anna~screen'], SERVER);
  assert.deepEqual(plain, { id: 'live/a?secret=x', url: 'https://gateway:8443/live/a/whep?secret=x', media: null, name: 'a', gain: 1, muted: false, hidden: false, screen: false });
  assert.deepEqual([full?.id, full?.name, full?.gain, full?.muted, full?.hidden], ['b', 'Ben', 4, true, true]);
  assert.equal(screen?.screen, true);
  const media = /** @type {any} */ ({ id: 'm', getTracks: () => [] });
  assert.deepEqual(itemsOf([media, { stream: media, id: 'n', gain: NaN }], SERVER).map(({ id, media: one, url, gain }) => [id, one, url, gain]), [['m', media, '', 1], ['n', media, '', 1]]);
  assert.equal(itemsOf(Array.from({ length: 99 }, (_, n) => `live/${n}`), SERVER).length, MAX_INPUTS);
  assert.equal(itemsOf(['live/a', 'live/a', '', {}], SERVER).length, 1);
});

test('sizes are even and bounded', () => {
  assert.deepEqual(sizeOf('1280x720'), { width: 1280, height: 720 });
  assert.deepEqual(sizeOf(' 1080 × 1920 '), { width: 1080, height: 1920 });
  for (const bad of ['', '1280', '641x360', '1922x1080', '1200x1200', '62x64', '0x0', 'axb']) assert.equal(sizeOf(bad), null, bad);
});
