import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lanes } from './lanes.js';

const DURATION = 8000;
const BOX = 1000;

/** Where a message is at a time: its left and right edge. */
const edges = ({ start, width }, time) => {
  const left = BOX - (time - start) / DURATION * (BOX + width);
  return [left, left + width];
};

test('messages of a lane never overlap', () => {
  const lanes = new Lanes(DURATION);
  const flown = [];
  let seed = 7;
  const random = () => (seed = seed * 16807 % 2147483647) / 2147483647;
  for (let now = 0; now < 60_000; now += 130) {
    const width = 40 + random() * 900;
    const place = lanes.place(now, width, BOX, 5, 2000);
    if (place) flown.push({ lane: place.lane, start: now + place.wait, width });
  }
  assert.ok(flown.length > 40);
  for (const [at, one] of flown.entries()) {
    for (const other of flown.slice(at + 1).filter(({ lane }) => lane === one.lane)) {
      for (const time of [other.start, one.start + DURATION, (other.start + one.start + DURATION) / 2]) {
        if (time < other.start || time > one.start + DURATION) continue;
        assert.ok(edges(one, time)[1] <= edges(other, time)[0] + 0.01, JSON.stringify({ one, other, time }));
      }
    }
  }
});

test('free lanes are taken from the top, and a full box takes no more', () => {
  const lanes = new Lanes(DURATION);
  const places = [1, 2, 3].map(() => lanes.place(0, 900, BOX, 2, 0));
  assert.deepEqual(places, [{ lane: 0, wait: 0 }, { lane: 1, wait: 0 }, null]);
  lanes.clear();
  assert.deepEqual(lanes.place(0, 900, BOX, 2, 0), { lane: 0, wait: 0 });
});

test('a box without height has no lane', () => {
  assert.equal(new Lanes(DURATION).place(0, 100, BOX, 0, 1000), null);
});
