// The ICE servers that a server names in a `Link` header.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iceServers } from './link.js';

test('ICE servers are those that the header names as such', () => {
  assert.deepEqual(iceServers(''), []);
  assert.deepEqual(iceServers('<https://a/b>; rel="next", <stun:stun.example:3478>; rel="ice-server", </x>; rel=next, '
    + '<stun:no.example>; rel="ice-server-info", <https://a/b>; rel="ice-server", '
    + '<turn:turn.example?transport=udp>; rel="ice-server"; username="u"; credential="c,d;e<f>"; credential-type="password"'), [
    { urls: 'stun:stun.example:3478' },
    { urls: 'turn:turn.example?transport=udp', username: 'u', credential: 'c,d;e<f>' },
  ]);
});

test('parameters may be bare, in any case and order, and among other relations', () => {
  for (const header of [
    '<turn:t>; rel=ice-server; username=u; credential=c; credential-type=password',
    '<turn:t>;REL="ICE-SERVER";Credential=c;UserName="u"',
    '<turn:t> ; credential = "c" ; rel = "next ice-server" ; username = u',
  ]) assert.deepEqual(iceServers(header), [{ urls: 'turn:t', username: 'u', credential: 'c' }], header);
});

test('quoted strings have escapes, as the gateway writes them', () => {
  const header = String.raw`<turn:t>; rel="ice-server"; username="a\"b"; credential="c\\d, <turn:no>; rel=\"ice-server\""`;
  assert.deepEqual(iceServers(header), [{ urls: 'turn:t', username: 'a"b', credential: 'c\\d, <turn:no>; rel="ice-server"' }]);
});
