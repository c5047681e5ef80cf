// What is drawn when: on a canvas that only writes down what it is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOK } from '../layout/look.js';
import { Scene } from './scene.js';

/** A scene of 640x360, what was drawn since the last look, and which pictures were dropped. */
function begin(look = {}) {
  /** @type {string[]} */
  let drawn = [];
  /** @type {unknown[]} */
  const dropped = [];
  const canvases = ['main', 'before', 'small'];
  const scene = new Scene(640, 360, (width, height) => {
    const name = canvases.shift();
    /** @type {any} */
    const canvas = { width, height, name };
    const write = (/** @type {string} */ what) => { if (name === 'main') drawn.push(what); };
    const context = {
      canvas, globalAlpha: 1, fillStyle: '', measureText: (/** @type {string} */ text) => ({ width: 8 * text.length }),
      drawImage: (/** @type {any} */ image, /** @type {number[]} */ ...at) => write(`${image.name}${at.length > 2 ? ` ${at.slice(4)}` : ` at ${context.globalAlpha.toFixed(2)}`}`),
      fillRect: (/** @type {number[]} */ ...at) => write(`fill ${at}`), strokeRect: () => write('border'),
      fillText: (/** @type {string} */ text) => write(`text ${text}`), beginPath() {}, roundRect() {}, arc() {}, fill() {},
    };
    canvas.getContext = () => context;
    return canvas;
  }, (image) => dropped.push(image));
  scene.look = { ...LOOK, names: false, fade: false, ...look };
  /** @type {Record<string, number>} */
  const versions = {};
  return {
    scene, dropped,
    show: (/** @type {string} */ id) => scene.show(id, /** @type {any} */ ({ image: { name: id, version: versions[id] }, width: 640, height: 360, version: versions[id] = (versions[id] ?? 0) + 1 })),
    /** Draws; returns what was drawn, or nothing if it was the same picture. */
    draw: (/** @type {number} */ now) => {
      drawn = [];
      const changed = scene.draw(now);
      assert.equal(changed, drawn.length > 0);
      return drawn;
    },
  };
}
const source = (/** @type {string} */ id, more = {}) => ({ id, name: id.toUpperCase(), screen: false, hidden: false, ...more });
const live = { level: -127, live: true };
const ALL = 'fill 0,0,640,360';

test('only tiles with a new picture are drawn again', () => {
  const { scene, show, draw, dropped } = begin();
  scene.sources = [source('a'), source('b')];
  scene.update({ a: live, b: live }, 0);
  show('a');
  show('b');
  assert.deepEqual(draw(0), [ALL, 'a 0,62,316,236', 'b 324,62,316,236']);
  assert.deepEqual(draw(33), []);
  show('b');
  assert.deepEqual(draw(66), ['b 324,62,316,236']);
  assert.equal(dropped.length, 1, 'the picture before is given back');
  scene.sources = [source('b')];
  assert.deepEqual(draw(99), [ALL, 'b 0,0,640,360']);
  assert.equal(dropped.length, 2, 'that of an input which left too');
});

test('tiles on each other are drawn together', () => {
  const { scene, show, draw } = begin({ layout: 'pip' });
  scene.sources = [source('a'), source('b')];
  scene.update({ a: live, b: live }, 0);
  show('a');
  show('b');
  draw(0);
  show('a');
  assert.deepEqual(draw(33).map((one) => one.slice(0, 1)), ['f', 'a', 'b']);
});

test('an input without pictures keeps its last one for a second, then it is a card', () => {
  const { scene, show, draw, dropped } = begin();
  scene.sources = [source('a')];
  assert.ok(draw(0).includes('text A'), 'a card before the first picture');
  scene.update({ a: live }, 0);
  show('a');
  assert.deepEqual(draw(33), [ALL, 'a 0,0,640,360']);
  scene.update({ a: { ...live, live: false } }, 100);
  assert.deepEqual(draw(1000), []);
  assert.ok(draw(1133).includes('text A'));
  assert.equal(dropped.length, 1);
});

test('another layout fades in during 200 ms; the speaker has a border', () => {
  const { scene, show, draw } = begin({ fade: true, names: true });
  scene.sources = [source('a'), source('b')];
  scene.update({ a: live, b: { level: -10, live: true } }, 0);
  show('a');
  show('b');
  assert.deepEqual(draw(1000), [ALL, 'a 0,62,316,236', 'text A', 'b 324,62,316,236', 'text B', 'border']);
  scene.look = { ...scene.look, layout: 'side' };
  assert.equal(draw(1033).at(-1), 'before at 1.00');
  const middle = draw(1132);
  assert.equal(middle.at(-1), 'before at 0.50');
  assert.equal(middle.length, 7);
  assert.ok(!draw(1240).some((one) => one.startsWith('before')) && draw(1273).length === 0);
});
