// The room's texts in both languages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHINESE } from './texts-zh.js';

test('each English text has a Chinese one, with the same places for names', () => {
  const source = readFileSync(new URL('texts.js', import.meta.url), 'utf8');
  const english = Object.fromEntries([...source.matchAll(/^  '?([\w:-]+)'?: '(.*)',$/gm)].map(([, key, text]) => [key, text]));
  assert.ok(Object.keys(english).length > 100);
  assert.deepEqual(Object.keys(CHINESE).sort(), Object.keys(english).sort());
  for (const [key, text] of Object.entries(CHINESE)) {
    assert.match(text, /\p{Script=Han}/u, key);
    assert.equal(text.includes('{detail}'), english[key].includes('{detail}'), key);
  }
});
