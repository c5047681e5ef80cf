import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, cut, hueOf, lengthOf } from './clean.js';

test('controls and changes of the writing direction are not shown', () => {
  assert.equal(clean('a\u202eb\u2066c\u0000d\ne'), 'a b c d e');
  assert.equal(clean('  x\u0007 '), 'x');
  assert.equal(clean(undefined), '');
});

test('scripts and emoji stay as they are', () => {
  for (const text of ['שלום', 'مرحبا', '连麦', '👩‍👩‍👧', 'e\u0301', 'ไม่ได้', '<script>alert(1)</script>']) assert.equal(clean(text), text);
});

test('piled marks are limited', () => {
  assert.equal(clean(`a${'\u0301'.repeat(50)}`), `a${'\u0301'.repeat(4)}`);
});

test('characters are counted, not UTF-16 units', () => {
  assert.equal(lengthOf('😀😀'), 2);
  assert.equal(cut('😀😀a', 2), '😀😀');
});

test('a participant keeps the hue', () => {
  assert.equal(hueOf('anna-k3f2'), hueOf('anna-k3f2'));
  assert.ok(hueOf('b') >= 0 && hueOf('b') < 360);
});
