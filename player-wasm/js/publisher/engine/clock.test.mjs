// Clocks of capture devices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceClock } from './clock.js';

test('a device\'s clock is followed where it runs faster or slower, and not where it is late', () => {
  for (const speed of [1 + 5e-5, 1 - 5e-5]) {
    const clock = new DeviceClock();
    let worst = 0;
    for (let now = 0; now < 3_600_000; now += 20) {
      // Late by up to 40 ms, most of the time by little.
      const late = now % 500 === 0 ? 40 : now % 7;
      const mapped = clock.map(now * speed + 12_345, now + late);
      if (now > 5_000) worst = Math.max(worst, Math.abs(mapped - now));
    }
    assert.ok(worst < 10, `${worst} ms in an hour`);
  }
});
