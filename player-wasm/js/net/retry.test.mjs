// When a failed attempt is made again.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { backOff, Retry } from './retry.js';

/** Whether a wait is so many milliseconds, give or take a quarter. */
const about = (wait, wanted) => assert.ok(wait >= wanted * 0.75 && wait <= wanted * 1.25, `${wait} ms, not about ${wanted}`);

test('waits double up to a limit, which is longer for a page that nobody sees', () => {
  for (const [attempt, wanted] of [[0, 100], [1, 500], [2, 1000], [3, 1600], [99, 1600]]) about(backOff(attempt), wanted);
  for (const [attempt, wanted] of [[0, 100], [3, 2000], [5, 8000], [6, 10_000], [99, 10_000]]) about(backOff(attempt, true), wanted);
});

test('attempts in a row are counted, and success begins anew', () => {
  const retry = new Retry(2);
  about(retry.next(), 100);
  about(retry.next(), 500);
  assert.equal(retry.next(), undefined);
  retry.reset();
  about(retry.next(), 100);
  // A server that has held the request is asked again soon.
  about(retry.next(false, true), 100);
  assert.equal(new Retry(0).next(), undefined);
});

test('a refusal is worth another token: once at first, more often for a server that may just have come back', () => {
  const first = new Retry(0);
  assert.equal(first.refused(false, false), 0);
  assert.equal(first.refused(false, false), undefined);
  const later = new Retry(0);
  assert.equal(later.refused(false, true), 0);
  for (const wanted of [1000, 1600, 1600]) about(later.refused(false, true), wanted);
  assert.equal(later.refused(false, true), undefined);
  // An old token that was refused says nothing about the next one.
  assert.equal(later.refused(true, true), 0);
});

test('a waiting attempt is made once: in time, at once, or not at all', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let made = 0;
  const retry = new Retry(9);
  const wait = () => retry.after(100, () => { made++; });
  retry.hurry();
  wait();
  mock.timers.tick(99);
  assert.equal(made, 0);
  mock.timers.tick(1);
  assert.equal(made, 1);
  wait();
  retry.hurry();
  retry.hurry();
  mock.timers.tick(200);
  assert.equal(made, 2);
  wait();
  retry.stop();
  retry.hurry();
  mock.timers.tick(200);
  assert.equal(made, 2);
  wait();
  wait();
  mock.timers.tick(200);
  assert.equal(made, 3, 'another one takes its place');
  mock.timers.reset();
});
