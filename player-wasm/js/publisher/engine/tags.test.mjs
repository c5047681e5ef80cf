// The bytes of FLV tags.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flvHeader, videoFrame } from './tags.js';

test('FLV tags', () => {
  assert.equal(Buffer.from(flvHeader(true, true)).toString('hex'), '464c5601050000000900000000');
  assert.equal(flvHeader(false, true)[4], 1);
  const units = [Uint8Array.of(1, 2, 3), Uint8Array.of(9)];
  const [head, body] = ['0900001102030401000000', '1701000000' + '00000003010203' + '0000000109'];
  assert.equal(Buffer.from(videoFrame(0x01020304, true, units)).toString('hex'), `${head}${body}0000001c`);
});
