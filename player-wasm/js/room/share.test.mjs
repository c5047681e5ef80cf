// The elements of a page that share the connection of a room.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { RANK, Share } from './share.js';

const URL_ = 'ws://127.0.0.1:8080/api/v1/rooms/show';
const CHAT = { name: 'Viewer 1', role: 'audience' };
const OWN = { name: 'Anna', role: 'audience' };
const HOST = { name: 'Anna' };

const { WebSocket: before } = globalThis;
/** @type {any[]} */
let sockets = [];
/** @type {Share[]} */
let shares = [];
class FakeSocket {
  static OPEN = 1;
  readyState = 1;
  /** @type {any[]} */
  sent = [];
  /** @type {((event: object) => void) | undefined} */
  onmessage;
  constructor() { sockets.push(this); }
  /** @param {string} text */
  send(text) { this.sent.push(JSON.parse(text)); }
  close() { this.readyState = 3; }
}
beforeEach(() => {
  sockets = [];
  shares = [];
  globalThis.WebSocket = /** @type {any} */ (FakeSocket);
});
afterEach(() => {
  for (const share of shares) share.release();
  globalThis.WebSocket = before;
});

/** @param {0 | 1 | 2} rank @param {() => void} [ontaken] */
function user(rank, ontaken) {
  const share = new Share(URL_, rank, ontaken);
  shares.push(share);
  return share;
}

/** The gateway lets the newest socket in. @param {string} role */
async function welcome(role) {
  await new Promise((resolve) => { setImmediate(resolve); });
  const socket = sockets.at(-1);
  socket.onopen();
  const { name } = socket.sent.at(-1);
  const room = { name: 'show', audience: 0, likes: 0, live: null };
  socket.onmessage({ data: JSON.stringify([{ type: 'welcome', version: 1, id: `id-${sockets.length}`, name, role, key: `${role[0]}.1.2.id`, room, people: [], chat: [], time: 0 }]) });
  return socket;
}
const types = (/** @type {any} */ socket) => socket.sent.map((/** @type {{ type: string }} */ { type }) => type);

test('elements of a room use one connection, and the last one ends it', async () => {
  const [one, other] = [user(RANK.nameless), user(RANK.nameless)];
  assert.equal(one.connection, other.connection);
  one.join(CHAT);
  other.join(CHAT);
  await welcome('audience');
  assert.deepEqual([sockets.length, one.follows, other.follows], [1, false, false]);
  one.release();
  one.release();
  assert.equal(other.connection.state, 'joined');
  other.release();
  assert.equal(other.connection.state, 'closed');
  assert.notEqual(user(RANK.nameless).connection, one.connection);
});

test('a participant takes the place of a chat, which goes on with the connection, also after the participant', async () => {
  const chat = user(RANK.nameless);
  chat.join(CHAT);
  const audience = await welcome('audience');
  const room = user(RANK.participant);
  assert.equal(chat.follows, false);
  room.join(HOST);
  assert.equal(audience.sent.at(-1).type, 'leave');
  const host = await welcome('host');
  // The audience's seat was given up: its key would allow less.
  assert.deepEqual(host.sent[0], { type: 'join', version: 1, name: 'Anna' });
  assert.deepEqual([chat.connection.me?.role, chat.follows, room.follows], ['host', true, false]);
  // A chat that comes later changes nothing.
  user(RANK.named).join(OWN);
  assert.equal(sockets.length, 2);
  room.leave();
  assert.equal(host.sent.at(-1).type, 'leave');
  const after = await welcome('audience');
  assert.deepEqual([after.sent[0].name, after.sent[0].role, chat.follows], ['Anna', 'audience', true]);
});

test('a participant who was invited to the stage keeps that seat', async () => {
  const chat = user(RANK.nameless);
  chat.join(CHAT);
  const socket = await welcome('audience');
  socket.onmessage({ data: JSON.stringify([{ type: 'seat', role: 'guest', key: 'g.1.2.id' }]) });
  user(RANK.participant).join(HOST);
  const guest = await welcome('guest');
  assert.deepEqual([types(socket), guest.sent[0].id, guest.sent[0].key], [['join'], 'id-1', 'g.1.2.id']);
});

test('a participant who is refused leaves the chat as it was; one who was removed does not', async () => {
  for (const [code, count, state] of /** @type {const} */ ([['forbidden', 3, 'joined'], ['removed', 2, 'refused']])) {
    sockets = [];
    const chat = user(RANK.named);
    chat.join(OWN);
    await welcome('audience');
    const room = user(RANK.participant);
    room.join(HOST);
    await new Promise((resolve) => { setImmediate(resolve); });
    const refused = sockets[1];
    refused.onopen();
    refused.onmessage({ data: JSON.stringify([{ type: 'error', code, text: 'no', about: 'join' }]) });
    refused.onclose({ code: 4003 });
    assert.equal(chat.connection.state, 'refused');
    room.quit();
    if (count === 3) await welcome('audience');
    assert.deepEqual([sockets.length, chat.connection.state], [count, state]);
    for (const share of shares.splice(0)) share.release();
  }
});

test('of two participants of a page, the later one is in the room', async () => {
  let taken = 0;
  const [one, other] = [user(RANK.participant, () => { taken++; }), user(RANK.participant)];
  one.join(HOST);
  await welcome('host');
  other.join({ name: 'Ben' });
  assert.deepEqual([taken, one.options], [1, null]);
  // One that is taken from the page takes its participant along.
  const chat = user(RANK.nameless);
  chat.join(CHAT);
  other.release();
  const after = await welcome('audience');
  assert.equal(after.sent[0].name, 'Viewer 1');
});

test('a person who gives a name comes in anew under it', async () => {
  const [overlay, chat] = [user(RANK.nameless), user(RANK.nameless)];
  overlay.join(CHAT);
  chat.join(CHAT);
  const nameless = await welcome('audience');
  chat.rename(OWN);
  assert.equal(nameless.sent.at(-1).type, 'leave');
  const named = await welcome('audience');
  assert.deepEqual([named.sent[0].name, overlay.follows], ['Anna', true]);
});
