// Who speaks: it does not change with each cough.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT, Speaker } from './speaker.js';

const source = (/** @type {string} */ id, /** @type {number} */ level) => ({ id, level, screen: false, hidden: false });

/** A speaker with inputs a, b and c, which goes on in steps of a thirtieth of a second. */
function talk() {
  const speaker = new Speaker();
  let now = 0;
  return (/** @type {number} */ milliseconds, /** @type {number[]} */ levels) => {
    let found = { at: -2, speaks: false };
    for (const end = now + milliseconds; now < end;) found = speaker.update(levels.map((level, n) => source('abc'[n] ?? '', level)), now += 1000 / 30);
    return found;
  };
}

test('the speaker changes to who is louder for a while', () => {
  const run = talk();
  assert.deepEqual(run(1000, [SILENT, SILENT, SILENT]), { at: -1, speaks: false }, 'nobody has spoken');
  assert.deepEqual(run(300, [SILENT, -20, SILENT]), { at: 1, speaks: true }, 'the first one');
  assert.equal(run(1500, [-20, SILENT, SILENT]).at, 1, 'held for two seconds');
  assert.deepEqual(run(700, [-20, SILENT, SILENT]), { at: 0, speaks: true });
  assert.deepEqual(run(4000, [SILENT, SILENT, SILENT]), { at: 0, speaks: false }, 'the last one stays');
  assert.equal(run(200, [SILENT, SILENT, -10]).at, 0, 'a cough');
  run(4000, [SILENT, SILENT, SILENT]);
  assert.equal(run(2000, [-22, -20, SILENT]).at, 0, 'as loud');
  assert.equal(run(2000, [-40, -20, SILENT]).at, 1, 'louder');
});

test('a speaker who leaves is replaced at once; screens and hidden inputs do not speak', () => {
  const speaker = new Speaker();
  assert.equal(speaker.update([source('a', SILENT), source('b', -20), source('c', -30)], 1000).at, 1);
  assert.equal(speaker.update([source('a', SILENT), source('c', -30)], 1033).at, 1);
  assert.equal(speaker.update([source('a', SILENT), { ...source('c', -1), hidden: true }], 1066).at, -1);
  assert.equal(speaker.update([{ ...source('s', 0), screen: true }, source('a', -30)], 2100).at, 1);
});
