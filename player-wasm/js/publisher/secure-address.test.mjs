import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secureAddress } from './secure-address.js';

test('the page over HTTPS is at the usual port, or at that of Lianmai', () => {
  assert.equal(secureAddress(new URL('http://h:8080/p?q')), 'https://h:8443/p?q');
  assert.equal(secureAddress(new URL('http://h/p')), 'https://h/p');
});
