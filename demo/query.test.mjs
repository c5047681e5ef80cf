// What the demo pages read in their own addresses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishAddress, streamOf } from './pages/assets/query.js';

test('the page reads its own query, and which stream an address names', () => {
  const of = (search) => publishAddress(new URLSearchParams(search), { hostname: 'h' });
  assert.equal(of(''), 'webrtc://h/live/livestream');
  assert.equal(of('?app=a&stream=x&server=s&token=t&lang=zh'), 'webrtc://s/a/x?token=t');
  assert.equal(of('?url=https://w/whip'), 'https://w/whip');
  assert.deepEqual(streamOf('webrtc://h:1/live/x?secret=s'), { hostname: 'h', name: 'live/x' });
  assert.deepEqual(streamOf('https://h/rtc/v1/whip/?app=live&stream=x'), { hostname: 'h', name: 'live/x' });
  assert.deepEqual(streamOf('https://h/live/x/whip'), { hostname: 'h', name: 'live/x' });
  for (const text of ['webrtc://h', 'x', 'https://h/']) assert.equal(streamOf(text), null, text);
});
