// How pictures fit into their tiles, and what a card says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initials, shorten } from './names.js';
import { placed } from './picture.js';

const TILE = { x: 100, y: 50, w: 640, h: 360 };
const fit = (/** @type {number} */ width, /** @type {number} */ height, kind = 'auto', screen = false) => {
  const { crop, at, blurred } = placed(/** @type {any} */ ({ width, height }), TILE, kind, screen);
  return [crop, at].map(({ x, y, w, h }) => `${x},${y} ${w}x${h}`).concat(blurred ? 'blurred' : []);
};

test('a camera fills its tile, a screen is shown whole, a phone held upright too', () => {
  assert.deepEqual(fit(1280, 720), ['0,0 1280x720', '100,50 640x360']);
  assert.deepEqual(fit(640, 480), ['0,60 640x360', '100,50 640x360']);
  assert.deepEqual(fit(640, 480, 'auto', true), ['0,0 640x480', '180,50 480x360']);
  assert.deepEqual(fit(720, 1280), ['0,0 720x1280', '318,50 202x360', 'blurred']);
  assert.deepEqual(fit(720, 1280, 'contain'), ['0,0 720x1280', '318,50 202x360']);
  assert.deepEqual(fit(720, 1280, 'cover'), ['0,438 720x404', '100,50 640x360']);
  assert.deepEqual(fit(640, 480, 'stretch'), ['0,0 640x480', '100,50 640x360']);
});

test('names are cleaned and shortened, initials are two letters at most', () => {
  assert.equal(shorten('Anna\u202e\n'), 'Anna');
  assert.equal([...shorten('W'.repeat(99))].length, 40);
  for (const [name, letters] of [['anna b. clark', 'AC'], ['Ben', 'B'], ['连麦 主播', '连'], ['(x)', 'X'], ['', ''], ['!', '']]) assert.equal(initials(name ?? ''), letters, name);
});
