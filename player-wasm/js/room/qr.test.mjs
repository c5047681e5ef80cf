// QR codes: these two were read by another program's decoder (jsQR).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { qrModules } from './qr.js';

const digest = (text) => {
  const rows = qrModules(text);
  return `${rows.length} ${createHash('sha256').update(rows.map((row) => row.map(Number).join('')).join()).digest('hex').slice(0, 16)}`;
};

test('codes are those that a decoder has read', () => {
  assert.equal(digest('https://example.com/rooms/friday-show#invite=eyJ'), '29 d7dd75381d48e805');
  assert.equal(digest(`https://example.com/rooms/friday-show#invite=${'eyJhbGciOiJFZERTQSJ9.'.repeat(12)}`), '61 0fb42c150fcff299');
});

test('a text that is too long is refused', () => {
  assert.throws(() => qrModules('x'.repeat(859)), RangeError);
});
