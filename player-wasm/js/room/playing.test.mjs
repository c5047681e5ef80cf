// How often a stream of a room is asked for, against a server that answers and peer connections that bring nothing.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { StreamPlay } from './playing.js';

/** @type {FakePeer[]} */
let peers = [];
/** When each session began, in milliseconds. @type {number[]} */
let begun = [];
let now = 0;

class FakePeer {
  connectionState = 'new';
  remoteDescription = { sdp: '' };
  track = { muted: true, onunmute: () => {} };
  constructor() { peers.push(this); }
  addTransceiver() { return { receiver: { track: this.track } }; }
  createOffer = async () => ({ sdp: 'offer' });
  setLocalDescription = async () => {};
  setRemoteDescription = async () => {};
  getReceivers = () => [];
  close() {}
  /** Media comes. */
  brings() {
    this.track.muted = false;
    this.track.onunmute();
  }
}

const names = ['RTCPeerConnection', 'fetch', 'addEventListener', 'removeEventListener'];
const before = names.map((name) => [name, globalThis[name]]);
/** What the server says to an offer. */
let status = 201;
beforeEach(() => {
  [peers, begun, now, status] = [[], [], 0, 201];
  Object.assign(globalThis, {
    RTCPeerConnection: FakePeer, addEventListener() {}, removeEventListener() {},
    fetch: async (url, { method }) => {
      if (method === 'POST') begun.push(now);
      return new Response('answer', { status: method === 'POST' ? status : 200 });
    },
  });
  mock.timers.enable({ apis: ['setTimeout'] });
  // Each pause takes its middle.
  mock.method(Math, 'random', () => 0.5);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
  for (const [name, value] of before) globalThis[name] = value;
});

const settled = async () => { for (let n = 0; n < 4; n++) await new Promise((resolve) => { setImmediate(resolve); }); };

/** Lets time pass. */
async function pass(seconds) {
  for (let n = 0; n < seconds * 10; n++) {
    await settled();
    now += 100;
    mock.timers.tick(100);
  }
  await settled();
}

const play = () => new StreamPlay(() => 'http://127.0.0.1:8080/show/anna/whep', 'video', () => {});
const pauses = () => begun.slice(1).map((at, n) => at - begun[n]);

test('sessions that bring nothing get more time, and longer pauses between them', async () => {
  const stream = play();
  await pass(240);
  stream.close();
  // The time for a session is 10, 20, and then 30 s; the pauses grow to 10 s.
  assert.deepEqual(pauses().map((ms) => Math.round(ms / 1000)), [10, 21, 31, 32, 34, 38, 40]);
});

test('media makes the next failure a first one', async () => {
  const stream = play();
  await pass(35);
  assert.equal(begun.length, 3);
  peers.at(-1).brings();
  await pass(60);
  assert.equal(begun.length, 3);
  peers.at(-1).connectionState = 'failed';
  peers.at(-1).onconnectionstatechange();
  await pass(1);
  assert.equal(begun.length, 4, 'at once');
  await pass(12);
  stream.close();
  assert.equal(begun.length, 5, 'after 10 s again');
});

test('a server that is away is asked as often as ever', async () => {
  status = 503;
  const stream = play();
  await pass(20);
  stream.close();
  assert.ok(begun.length > 10, `${begun.length} attempts`);
  assert.ok(pauses().every((ms) => ms <= 1_800), `${pauses()}`);
});
