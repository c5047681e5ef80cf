// The socket of a room, against a gateway that the test plays.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { RoomConnection } from './connection.js';

const URL_ = 'ws://127.0.0.1:8080/api/v1/rooms/show';
const ROOM = { name: 'show', title: '', locked: false, lobby: false, layout: 'grid', spotlight: null, chat: 'all', slow: 0, audience: 3, likes: 7, live: null, seats: 10 };
const WELCOME = { type: 'welcome', version: 1, id: 'anna-1', name: 'Anna', role: 'host', key: 'KEY', room: ROOM, people: [], chat: [], time: 0 };

/** Sockets that were opened. */
let sockets = [];

class FakeSocket {
  static OPEN = 1;
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = url;
    sockets.push(this);
  }
  send(text) { this.sent.push(JSON.parse(text)); }
  close() { this.readyState = 3; }
  /** The gateway's side. */
  open() {
    this.readyState = 1;
    this.onopen();
    return this;
  }
  says(...messages) { this.onmessage({ data: JSON.stringify(messages) }); }
  ends(code) {
    this.readyState = 3;
    this.onclose({ code });
  }
}

const kept = new Map();
const { WebSocket: before } = globalThis;
beforeEach(() => {
  sockets = [];
  kept.clear();
  globalThis.WebSocket = FakeSocket;
  globalThis.sessionStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text), removeItem: (name) => kept.delete(name) };
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(() => {
  mock.timers.reset();
  globalThis.WebSocket = before;
});

const settled = () => new Promise((resolve) => { setImmediate(resolve); });

/** A connection that was welcomed. */
async function joined(options = { name: 'Anna' }, welcome = WELCOME) {
  const room = new RoomConnection({ url: URL_ });
  const states = [];
  room.addEventListener('state', ({ detail }) => states.push(detail.state));
  room.join(options);
  await settled();
  sockets.at(-1).open().says(welcome);
  return { room, states };
}

test('joins with name, role and invitation, and says who and where it is', async () => {
  const { room, states } = await joined({ name: 'Anna', role: 'guest', invite: 'INVITE', secret: 'a b' });
  assert.equal(sockets[0].url, `${URL_}?secret=a+b`);
  assert.deepEqual(sockets[0].sent, [{ type: 'join', version: 1, name: 'Anna', role: 'guest', invite: 'INVITE' }]);
  assert.deepEqual(states, ['joining', 'joined']);
  assert.deepEqual(room.me, { id: 'anna-1', name: 'Anna', role: 'host', key: 'KEY' });
  assert.deepEqual([room.audience, room.likes, room.live], [3, 7, null]);
});

test('keeps people, chat and broadcast, bounded, and passes every message on', async () => {
  const { room } = await joined();
  const heard = [];
  room.addEventListener('chat', ({ detail }) => heard.push(detail.seq));
  const [socket] = sockets;
  socket.says({ type: 'person', person: { id: 'ben' } }, { type: 'person', person: { id: 'cleo' } }, { type: 'left', id: 'ben', reason: 'left' });
  assert.deepEqual([...room.people.keys()], ['cleo']);
  for (let seq = 1; seq <= 250; seq++) socket.says({ type: 'chat', seq, at: seq, id: 'x', name: 'X', role: 'audience', text: 'hi' });
  socket.says({ type: 'deleted', seq: 250 }, { type: 'unknown' }, null);
  assert.deepEqual([room.chat.length, room.chat.at(-1).seq, heard.length], [199, 249, 250]);
  socket.says({ type: 'live', stream: 'live/show', since: 1, viewers: 2 }, { type: 'audience', count: 9, likes: 10 });
  assert.deepEqual([room.live.stream, room.audience, room.likes], ['live/show', 9, 10]);
  socket.says({ type: 'live', stream: null, since: 0, viewers: 0 });
  assert.equal(room.live, null);
});

test('comes back to the same seat, with the last chat message, and sends what was said meanwhile', async () => {
  const { room, states } = await joined();
  sockets[0].says({ type: 'chat', seq: 5, at: 50, id: 'x', name: 'X', role: 'audience', text: 'hi' });
  sockets[0].ends(1006);
  assert.equal(room.send({ type: 'hand', up: true }), false);
  mock.timers.tick(200);
  await settled();
  sockets[1].open();
  assert.deepEqual(sockets[1].sent[0], { type: 'join', version: 1, name: 'Anna', since: 5, id: 'anna-1', key: 'KEY' });
  sockets[1].says({ ...WELCOME, chat: [{ type: 'chat', seq: 1, at: 60, id: 'x', name: 'X', role: 'audience', text: 'counted anew' }] });
  assert.deepEqual(states, ['joining', 'joined', 'reconnecting', 'joined']);
  assert.deepEqual(sockets[1].sent[1], { type: 'hand', up: true });
  assert.deepEqual(room.chat.map(({ seq }) => seq), [5, 1]);
  // So does a page that was reloaded.
  const after = new RoomConnection({ url: URL_ });
  after.join({ name: 'Anna', invite: 'INVITE' });
  await settled();
  assert.equal(sockets[2].open().sent[0].key, 'KEY');
  after.close();
});

test('a seat that is over is given up for the other credentials; a refusal is final', async () => {
  const { room, states } = await joined({ name: 'Anna', invite: 'INVITE' });
  sockets[0].ends(1001);
  mock.timers.tick(200);
  await settled();
  sockets[1].open().says({ type: 'error', code: 'forbidden', text: 'over', about: 'join' });
  sockets[1].ends(4003);
  mock.timers.tick(1000);
  await settled();
  assert.equal(sockets[2].open().sent[0].invite, 'INVITE');
  sockets[2].says({ type: 'error', code: 'locked', text: 'The room is locked', about: 'join' });
  sockets[2].ends(4003);
  assert.equal(states.at(-1), 'refused');
  assert.deepEqual(room.error, { code: 'locked', text: 'The room is locked' });
  mock.timers.tick(60_000);
  await settled();
  assert.equal(sockets.length, 3);
});

test('a key is kept when the gateway has no time, or gives no reason', async () => {
  const { room } = await joined({ name: 'Anna', invite: 'INVITE' });
  sockets[0].says({ type: 'error', code: 'slow_down', text: 'wait', about: 'chat', retry: 3 });
  sockets[0].ends(1001);
  mock.timers.tick(200);
  await settled();
  // No reason: what the gateway has said of a chat message before is none.
  sockets[1].open().ends(4003);
  mock.timers.tick(1000);
  await settled();
  assert.equal(sockets[2].open().sent[0].key, 'KEY');
  sockets[2].says({ type: 'error', code: 'no_room', text: 'nobody is here', about: 'join', retry: 5 });
  sockets[2].ends(4003);
  mock.timers.tick(4000);
  await settled();
  assert.equal(sockets.length, 3);
  mock.timers.tick(1000);
  await settled();
  assert.equal(sockets[3].open().sent[0].key, 'KEY');
  assert.equal(room.state, 'reconnecting');
  room.close();
});

test('somebody who was refused can join again', async () => {
  const room = new RoomConnection({ url: URL_ });
  room.join({ name: 'Anna', secret: 'wrong' });
  await settled();
  sockets[0].open().says({ type: 'error', code: 'forbidden', text: 'the secret is wrong', about: 'join' });
  sockets[0].ends(4003);
  assert.deepEqual([room.state, room.error.code], ['refused', 'forbidden']);
  room.join({ name: 'Anna', secret: 'right' });
  assert.deepEqual([room.state, room.error], ['joining', null]);
  await settled();
  assert.equal(new URL(sockets[1].url).searchParams.get('secret'), 'right');
  sockets[1].open().says(WELCOME);
  assert.equal(room.state, 'joined');
  room.close();
});

test('a better right goes before the seat of somebody who watched in this tab', async () => {
  const stored = (key) => sessionStorage.setItem(`lianmai room ${URL_}`, JSON.stringify({ id: 'anna-1', key }));
  for (const [key, options, shown] of [
    ['a.1.2.anna-1', { invite: 'INVITE' }, 'INVITE'], ['w.1.2.anna-1', { invite: 'INVITE' }, 'INVITE'],
    ['g.1.2.anna-1', { invite: 'INVITE' }, undefined], ['a.1.2.anna-1', {}, undefined],
  ]) {
    stored(key);
    const room = new RoomConnection({ url: URL_ });
    room.join({ name: 'Anna', ...options });
    await settled();
    const [join] = sockets.at(-1).open().sent;
    assert.deepEqual([join.invite, join.key], [shown, shown ? undefined : key]);
    room.close();
  }
});

test('an attempt that waits for its token is void after another one', async () => {
  const given = [];
  const room = new RoomConnection({ url: URL_ });
  const token = () => new Promise((resolve) => { given.push(resolve); });
  room.join({ name: 'Anna', token });
  await settled();
  room.join({ name: 'Ben', token });
  await settled();
  given[0]('OLD');
  await settled();
  given[1]?.('NEW');
  await settled();
  assert.equal(sockets.length, 1);
  assert.equal(sockets[0].open().sent[0].name, 'Ben');
  room.close();
  room.join({ name: 'Anna', token });
  await settled();
  room.close();
  given.at(-1)('LATE');
  await settled();
  assert.deepEqual([sockets.length, room.state], [1, 'closed']);
});

test('a refusal that says when to try again is no end', async () => {
  const room = new RoomConnection({ url: URL_ });
  room.join({ name: 'Anna' });
  await settled();
  sockets[0].open().says({ type: 'error', code: 'no_room', text: 'nobody is here', about: 'join', retry: 5 });
  sockets[0].ends(4003);
  assert.equal(room.state, 'joining');
  mock.timers.tick(5000);
  await settled();
  assert.equal(sockets.length, 2);
  room.close();
});

test('the same seat elsewhere, removal, and leaving end the connection', async () => {
  for (const [code, state, error] of [[4000, 'closed', 'elsewhere'], [4001, 'refused', 'removed']]) {
    const { room } = await joined();
    sockets.at(-1).ends(code);
    assert.deepEqual([room.state, room.error.code, kept.size], [state, error, 0]);
  }
  const { room } = await joined();
  room.leave();
  assert.deepEqual([sockets.at(-1).sent.at(-1).type, room.state, kept.size], ['leave', 'closed', 0]);
});

test('waits in the lobby until somebody opens', async () => {
  const { room, states } = await joined({ name: 'Ben' }, { ...WELCOME, role: 'waiting' });
  assert.equal(room.state, 'waiting');
  sockets[0].says({ type: 'seat', role: 'guest', key: 'NEW', reason: 'admitted' });
  assert.deepEqual(states, ['joining', 'waiting', 'joined']);
  assert.deepEqual([room.me.role, room.me.key], ['guest', 'NEW']);
});

test('a socket that says nothing any more is lost', async () => {
  const { room } = await joined();
  const [socket] = sockets;
  const pings = () => socket.sent.filter(({ type }) => type === 'ping').length;
  mock.timers.tick(15_000);
  mock.timers.tick(15_000);
  assert.deepEqual([pings(), room.state], [2, 'joined']);
  // Any message is a sign of life.
  socket.says({ type: 'pong', n: 2 });
  mock.timers.tick(15_000);
  mock.timers.tick(15_000);
  assert.deepEqual([pings(), room.state], [4, 'joined']);
  mock.timers.tick(15_000);
  assert.equal(room.state, 'reconnecting');
  room.close();
});

test('a hidden page, whose timers run once a minute, keeps its socket', async () => {
  const { room, states } = await joined();
  let now = performance.now();
  mock.method(performance, 'now', () => now);
  for (let minute = 1; minute <= 10; minute++) {
    now += 60_000;
    mock.timers.tick(15_000);
    assert.equal(sockets[0].sent.at(-1).n, minute);
    sockets[0].says({ type: 'pong', n: minute });
  }
  assert.deepEqual([states, sockets.length], [['joining', 'joined'], 1]);
  mock.restoreAll();
  room.close();
});

test('a page that refuses a token ends the attempts', async () => {
  const room = new RoomConnection({ url: URL_ });
  room.join({ name: 'Anna', token: () => Promise.reject(Object.assign(new Error('logged out'), { code: 'forbidden' })) });
  await settled();
  assert.deepEqual([room.state, room.error.code, sockets.length], ['refused', 'forbidden', 0]);
});
