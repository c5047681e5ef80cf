// How measurements become a quality.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Network } from './network.js';

/** Measures several times; returns after which measurement the quality changed, and to what. */
function course(network, measured, times) {
  for (let n = 1; n <= times; n++) if (network.measure(measured)) return [n, network.quality];
  return [0, network.quality];
}
const GOOD = { loss: 0, rtt: 0.05 };

test('a network becomes worse after three measurements in a row, one step at a time', () => {
  const network = new Network();
  network.measure({ loss: 0.3, rtt: 0 });
  network.measure({ loss: 0.3, rtt: 0 });
  // One good measurement begins the count anew.
  network.measure(GOOD);
  assert.deepEqual(course(network, { loss: 0.3, rtt: 0 }, 10), [3, 'poor']);
  assert.deepEqual(course(network, { loss: 0.06, rtt: 0 }, 10), [0, 'poor']);
  assert.deepEqual(course(network, { loss: 0, rtt: 1.3 }, 10), [3, 'bad']);
  assert.deepEqual(course(network, { loss: 0.9, rtt: 9 }, 10), [0, 'bad']);
});

test('a network becomes better after eight measurements in a row', () => {
  const network = new Network();
  course(network, { loss: 0.2, rtt: 0 }, 3);
  course(network, { loss: 0.2, rtt: 0 }, 3);
  assert.equal(network.quality, 'bad');
  assert.deepEqual(course(network, GOOD, 20), [8, 'poor']);
  assert.deepEqual(course(network, GOOD, 20), [8, 'good']);
  assert.deepEqual(course(network, GOOD, 20), [0, 'good']);
});
