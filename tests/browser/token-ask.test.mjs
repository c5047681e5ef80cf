// How the player's thread asks the page for tokens, and what becomes of them: no browser, and no waiting.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Pipeline } from '../../player-wasm/dist/srs-player/pipeline.js';

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
