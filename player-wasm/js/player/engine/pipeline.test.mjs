// How the player's thread asks the page for tokens, and what becomes of them: no browser, and no waiting.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Pipeline } from '../../../dist/srs-player/pipeline.js';
import { Tokens } from '../../net/token-ask.js';

/** Lets everything happen that waits for promises. */
const settle = async () => { for (let n = 0; n < 50; n++) await null; };
/** Lets time pass, in steps: what a timer begins may set another one. @param {number} ms */
async function pass(ms) {
  for (let passed = 0; passed < ms; passed += 100) {
    mock.timers.tick(100);
    await settle();
  }
}

/**
 * A pipeline that plays something with tokens.
 * @param {string} kind
 * @param {(url: string, options: any) => Promise<Response>} answer what the network does
 */
function start(kind, answer) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  Object.assign(globalThis, { MediaSource: { isTypeSupported: () => true } });
  /** @type {any[]} */
  const said = [];
  /** The tokens that went out. @type {string[]} */
  const sent = [];
  mock.method(globalThis, 'fetch', async (/** @type {string} */ url, /** @type {any} */ options = {}) => {
    const shown = options.headers?.authorization;
    if (shown) sent.push(shown.replace('Bearer ', ''));
    return answer(url, options);
  });
  const pipeline = new Pipeline((message) => said.push(message));
  pipeline.receive({ type: 'load', url: 'http://127.0.0.1:9/live/x.flv', kind, latency: 'low', retry: Infinity, token: true });
  const asked = () => said.filter(({ type }) => type === 'token');
  const end = () => {
    pipeline.close();
    mock.timers.reset();
    mock.restoreAll();
  };
  return { pipeline, said, sent, asked, end };
}
const never = () => new Promise(() => {});

test('a token that does not come costs one attempt, and one that comes too late none', async () => {
  const { pipeline, said, sent, asked, end } = start('flv', never);
  await settle();
  assert.equal(asked().length, 1);
  await pass(61_000);
  assert.ok(said.some(({ state, code }) => state === 'reconnecting' && code === 'stalled'));
  assert.equal(asked().length, 2);
  const [first, second] = asked();
  pipeline.receive({ ...second, token: 'second' });
  await settle();
  assert.deepEqual(sent, ['second']);
  await pass(21_000);
  assert.equal(asked().length, 3);
  pipeline.receive({ ...first, token: 'late' });
  await settle();
  assert.deepEqual(sent, ['second']);
  end();
});

for (const [name, away] of /** @type {[string, () => Promise<Response>][]} */ ([
  ['nobody is there', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['a proxy says that nobody is there', async () => new Response('', { status: 502 })],
])) {
  test(`while ${name}, not each attempt takes another token`, async () => {
    let answer = away;
    const { pipeline, said, sent, asked, end } = start('flv', () => answer());
    let clock = 0, made = 0;
    mock.method(performance, 'now', () => clock);
    const tokens = new Tokens();
    const page = () => `token-${++made}`;
    let given = 0;
    /** Lets time pass while the page gives what it is asked for. @param {number} ms */
    const live = async (ms) => {
      for (let passed = 0; passed < ms; passed += 100) {
        await pass(100);
        clock += 100;
        for (const { id, unspent } of asked().slice(given)) {
          given++;
          pipeline.receive({ type: 'token', id, token: await tokens.take(page, unspent) });
        }
        await settle();
      }
    };
    await live(35_000);
    assert.ok(sent.length > 10, `${sent.length} attempts`);
    assert.deepEqual([...new Set(sent)], ['token-1']);
    await live(20_000);
    assert.deepEqual([...new Set(sent)], ['token-1', 'token-2']);
    // It was spent, after all: that is no refusal yet.
    answer = async () => new Response('', { status: 401 });
    await live(4_000);
    assert.deepEqual([...new Set(sent)], ['token-1', 'token-2', 'token-3', 'token-4']);
    assert.equal(sent.filter((token) => token === 'token-3').length, 1);
    assert.ok(said.some(({ type, code }) => type === 'error' && code === 'forbidden'));
    end();
  });
}

test('a token that somebody took is never shown again, nor one of another function', async () => {
  let made = 0;
  const page = async () => `token-${++made}`;
  const tokens = new Tokens();
  assert.equal(await tokens.take(page), 'token-1');
  assert.equal(await tokens.take(page, false), 'token-2');
  assert.equal(await tokens.take(page, true), 'token-2');
  assert.equal(await tokens.take(() => 'other', true), 'other');
  assert.equal(await tokens.take('a secret', true), 'a secret');
});
