// Where inputs are drawn: the same places as those of the gateway's own mix.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYOUTS, MAX_SOURCES, refused } from './look.js';
import { tiles } from './tiles.js';

const STAGE = { width: 1280, height: 720, margin: 0, gap: 8 };
const sources = (/** @type {number} */ n, /** @type {Record<number, object>} */ special = {}) =>
  Array.from({ length: n }, (_, i) => ({ id: `s${i}`, screen: false, hidden: false, ...special[i] }));
/** `source: x,y wxh` of each tile. */
const places = (/** @type {any} */ layout, /** @type {ReturnType<typeof sources>} */ list, speaker = -1, stage = STAGE) =>
  tiles(layout, list, speaker, stage).map(({ source, rect: { x, y, w, h } }) => `${source}: ${x},${y} ${w}x${h}`);

test('each layout by its places', () => {
  assert.deepEqual(places('grid', sources(1)), ['0: 0,0 1280x720']);
  assert.deepEqual(places('grid', sources(2)), ['0: 0,122 636x476', '1: 644,122 636x476']);
  assert.deepEqual(places('grid', sources(3)), ['0: 4,0 632x356', '1: 644,0 632x356', '2: 324,364 632x356']);
  assert.deepEqual(places('side', sources(2)), ['0: 0,0 636x720', '1: 644,0 636x720']);
  assert.deepEqual(places('pip', sources(2)), ['0: 0,0 1280x720', '1: 942,522 320x180']);
  assert.deepEqual(places('speaker', sources(3), 1), ['1: 0,0 992x720', '0: 1000,146 280x210', '2: 1000,364 280x210']);
  const pip = { pip: { corner: 'top-left', width: 96, height: 72, offset: 10, fit: 'stretch' } };
  assert.deepEqual(places(pip, sources(2)), ['0: 0,0 1280x720', '1: 10,10 96x72']);
  assert.deepEqual(tiles(/** @type {any} */ (pip), sources(2), -1, STAGE).map(({ fit }) => fit), ['auto', 'stretch']);
  const regions = { regions: [{ source: 's1', x: 1, y: 0, w: 640, h: 360 }, { source: 0, x: 640, y: 360, w: 640, h: 360, fit: 'cover' }, { source: 7, x: 0, y: 0, w: 2, h: 2 }] };
  assert.deepEqual(places(regions, sources(2)), ['1: 0,0 640x360', '0: 640,360 640x360']);
});

test('the large tile is the screen, the speaker, or the first camera', () => {
  const first = (/** @type {string} */ layout, /** @type {object} */ special, speaker = -1) => tiles(/** @type {any} */ (layout), sources(4, special), speaker, STAGE)[0]?.source;
  assert.equal(first('speaker', {}, 2), 2);
  assert.equal(first('speaker', { 0: { screen: true } }), 1);
  assert.equal(first('speaker', { 2: { hidden: true } }, 2), 0);
  assert.equal(first('screen', { 3: { screen: true } }, 2), 3);
  assert.equal(first('screen', {}, 2), 2);
});

test('tiles are even, inside the margins, and apart from each other', () => {
  for (const [width, height] of [[1280, 720], [720, 1280], [64, 64], [854, 480]]) {
    for (const layout of LAYOUTS) {
      for (let n = 0; n <= MAX_SOURCES + 1; n++) {
        const all = tiles(/** @type {any} */ (layout), sources(n, { 1: { hidden: n > 3 } }), 2, { width: width ?? 0, height: height ?? 0, margin: 5, gap: 8 });
        assert.equal(all.length, Math.min(n > 3 ? n - 1 : n, MAX_SOURCES));
        const [x, y] = [Number(width) / 20 - 4, Number(height) / 20 - 4];
        for (const { rect } of all) {
          assert.ok(Object.values(rect).every((number) => number % 2 === 0) && rect.w >= 2 && rect.h >= 2);
          assert.ok(rect.x >= x && rect.y >= y && rect.x + rect.w <= Number(width) - x && rect.y + rect.h <= Number(height) - y, `${layout} ${n}`);
        }
        const apart = all.slice(layout === 'pip' ? 1 : 0);
        apart.forEach(({ rect: a }, i) => apart.slice(i + 1).forEach(({ rect: b }) => {
          assert.ok(a.x >= b.x + b.w || b.x >= a.x + a.w || a.y >= b.y + b.h || b.y >= a.y + a.h, `${layout} ${n}`);
        }));
      }
    }
  }
});

test('a wrong layout is refused with what is possible', () => {
  for (const good of [...LAYOUTS, { pip: {} }, { pip: { width: 96 } }, { regions: [{ source: 0, x: 0, y: 0, w: 2, h: 2 }] }]) assert.equal(refused(good), '');
  assert.match(refused('mosaic'), /"mosaic" is no layout: use grid, speaker, side, pip, screen/);
  assert.ok(refused('x'.repeat(999)).length < 99);
  const region = { source: 0, x: 0, y: 0, w: 2, h: 2 };
  for (const bad of [null, 3, {}, { pip: {}, regions: [] }, { pip: { corner: 'middle' } }, { pip: { width: -1 } }, { regions: [] }, { regions: Array(17).fill(region) },
    { regions: [{ ...region, w: 1 }] }, { regions: [{ ...region, x: -2 }] }, { regions: [{ ...region, source: null }] }, { regions: [null] }]) assert.notEqual(refused(bad), '', JSON.stringify(bad));
});
