// The one client of WHIP and WHEP, against a server of its own.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, beforeEach, test } from 'node:test';
import { Signalling } from './signalling.js';
import { stereo } from './whep.js';

/** @type {{ method: string, url: string, body: string, token: string, type: string }[]} */
let requests = [];
/** @type {(response: import('node:http').ServerResponse) => void} */
let answer = () => {};
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { method = '', url = '', headers } = request;
  requests.push({ method, url, body, token: headers.authorization ?? '', type: headers['content-type'] ?? '' });
  if (method === 'DELETE') response.end();
  else answer(response);
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
const root = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
after(() => { server.closeAllConnections(); server.close(); });

const created = (/** @type {import('node:http').ServerResponse} */ response) => response
  .writeHead(201, { location: '/session/1', link: '<stun:s>; rel=ice-server' }).end('answer');
const errors = { refused: (/** @type {Response} */ { status }) => ({ code: `refused ${status}` }), unreached: () => ({ code: 'unreached' }) };
const JWT = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln';

beforeEach(() => {
  requests = [];
  answer = created;
});

test('an offer brings an answer, a session and ICE servers; the session is ended once', async () => {
  const session = new Signalling(`${root}/whip`, errors);
  assert.equal(await session.offer('offer', 'secret'), 'answer');
  assert.deepEqual([session.location, session.servers], [`${root}/session/1`, [{ urls: 'stun:s' }]]);
  let closed = 0;
  const peer = /** @type {any} */ ({ close: () => { closed = requests.length; } });
  await session.end(peer);
  await session.end();
  assert.deepEqual(requests.map(({ method, url, token }) => [method, url, token]),
    [['POST', '/whip', 'Bearer secret'], ['DELETE', '/session/1', 'Bearer secret']]);
  assert.equal(closed, 2, 'the peer is closed after the server was told');
});

test('a token is shown once; a secret goes along', async () => {
  const session = new Signalling(`${root}/whip`, errors);
  await session.offer('{}', JWT, undefined, 'application/json');
  await session.end();
  assert.deepEqual(requests.map(({ token, type }) => [token, type]), [[`Bearer ${JWT}`, 'application/json'], ['', '']]);
});

test('a refusal, and no answer, are told in the words of who asks', async () => {
  answer = (response) => response.writeHead(406).end();
  await assert.rejects(new Signalling(root, errors).offer('offer', ''), { code: 'refused 406' });
  answer = (response) => response.destroy();
  await assert.rejects(new Signalling(root, errors).offer('offer', ''), { code: 'unreached' });
});

test('a session that was given up while the server answered is ended', async () => {
  let reply = () => {};
  const asked = new Promise((resolve) => {
    answer = (response) => {
      reply = () => created(response);
      resolve(undefined);
    };
  });
  const abort = new AbortController();
  const session = new Signalling(`${root}/whip`, errors);
  const offer = session.offer('offer', '', abort.signal);
  await asked;
  abort.abort();
  await session.end();
  const deleted = new Promise((resolve) => { server.once('request', (request) => resolve(request.method)); });
  reply();
  await assert.rejects(offer, { code: 'closed' });
  assert.equal(await deleted, 'DELETE');
  assert.equal(session.location, '');
});

test('Opus is asked for in stereo, and nothing else is changed', () => {
  const sdp = 'm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n'
    + 'a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n';
  assert.equal(stereo(sdp), sdp.replace('useinbandfec=1', 'useinbandfec=1;stereo=1'));
  assert.equal(stereo('v=0\r\n'), 'v=0\r\n');
});
