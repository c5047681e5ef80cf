// The player's engine with faulty streams: each must play again by itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { LIMIT, until } from './harness.mjs';
import { PlayerPage, startBrowser } from './support/browser.mjs';
import { clip } from './support/clips.mjs';
import { startServer } from './support/server.mjs';

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Runs a test on a page with a player for a scripted stream. */
function scenario(name, script, check, options = {}) {
  test(name, LIMIT, async () => {
    const stream = name.replace(/\W+/g, '-');
    const url = server.stream(stream, script);
    const page = await PlayerPage.open(browser, server.url);
    try {
      await page.play(options.ws ? url.replace('http', 'ws') : url, { latency: 'realtime', ...options.player });
      await check(page, stream);
    } finally {
      await page.close();
    }
  });
}

const usual = () => clip();
const codes = (look, type) => look.log.filter((entry) => entry.type === type).map((entry) => entry.code);

for (const [name, options] of Object.entries({
  'HTTP-FLV in a worker': {},
  'HTTP-FLV on the main thread': { player: { worker: false } },
  'WebSocket-FLV': { ws: true },
})) {
  scenario(`${name} plays with picture and sound`, (c) => c.play(usual()), async (page) => {
    await page.moves();
    await until('sound', async () => (await page.loudness()) > 0.02);
    // Once a second.
    await until('stats', async () => (await page.look()).stats.codecs === 'avc1.42c01e,mp4a.40.2');
    const look = await page.look();
    assert.equal(look.state, 'live');
    assert.equal(look.stats.protocol, options.ws ? 'ws-flv' : 'http-flv');
    assert.equal(look.width, 640);
    assert.deepEqual(codes(look, 'warning'), []);
    await page.near(1);
  }, options);
}

scenario('B-frames and a start in the middle of time', (c) =>
  c.play(clip({ bframes: 2 }), { clock: (t) => t + 3_000_000 }), (page) => page.moves());

scenario('video only', (c) => c.play(clip({ audio: null })), async (page) => {
  await page.moves();
  await until('stats', async () => (await page.look()).stats.codecs === 'avc1.42c01e');
});

scenario('audio only', (c) => c.play(clip({ video: false })), async (page) => {
  await until('sound', async () => (await page.loudness()) > 0.02);
  assert.equal((await page.look()).state, 'live');
});

scenario('a header that promises audio, and none comes', (c) =>
  c.play(clip({ audio: null }), { promise: { audio: true, video: true } }), (page) => page.moves());

scenario('sound that comes later than the header said', async (c) => {
  const late = performance.now() + 3_000;
  await c.play(usual(), { promise: { audio: false, video: true }, filter: (tag) => tag.type !== 8 || performance.now() > late });
}, async (page) => {
  await page.moves();
  await until('sound', async () => (await page.loudness()) > 0.02);
  await page.moves();
});

scenario('sound that stops and comes back', (c) =>
  c.play(usual(), { filter: (tag, time) => tag.type !== 8 || time < 4_000 || time > 9_000 }), async (page) => {
  await page.moves();
  await until('silence', async () => (await page.loudness()) < 0.01);
  await page.moves();
  await until('sound', async () => (await page.loudness()) > 0.02);
});

scenario('H.264 with G.711: the picture plays and the lack of sound is said', (c) =>
  c.play(clip({ audio: 'pcm_alaw' })), async (page) => {
  await page.moves();
  assert.deepEqual(codes(await page.look(), 'warning'), ['audio-unsupported']);
});

scenario('timestamps that are reset to 0', (c) =>
  c.play(usual(), { clock: (t) => (t < 6_000 ? t + 60_000 : t - 6_000) }), async (page) => {
  await page.moves();
  await until('the reset is over', async () => (await page.look()).time > 9);
  await page.moves();
  await page.near(1);
});

scenario('timestamps that jump and wrap', (c) =>
  c.play(usual(), { clock: (t) => (t < 6_000 ? 2 ** 32 - 3_000 + t : t + 50_000_000) % 2 ** 32 }), async (page) => {
  await page.moves();
  await until('both are over', async () => (await page.look()).time > 9);
  await page.moves();
  await page.near(1);
});

scenario('1080p, then 720p, then 1080p', async (c) => {
  const parts = [['1920x1080', 0], ['1280x720', 4_000], ['1920x1080', 8_000]];
  for (const [index, [size, from]] of parts.entries()) {
    const last = index === parts.length - 1;
    await c.play(clip({ size, rate: 10, gop: 20 }), {
      promise: index ? null : undefined,
      join: index ? 0 : 1500,
      seconds: last ? Infinity : 4,
      clock: (t) => t + from,
    });
  }
}, async (page) => {
  for (const height of [1080, 720, 1080]) {
    await until(`${height} lines`, async () => (await page.look()).height === height, () => page.look());
    await page.moves();
  }
  assert.deepEqual(codes(await page.look(), 'warning'), []);
});

scenario('the server closes the response', async (c) => {
  await c.play(usual(), { seconds: c.index ? Infinity : 4 });
}, async (page, stream) => {
  await page.moves();
  await until('a second connection', () => server.count(stream) === 2);
  await page.moves();
  await page.near(1);
  await until('it is counted', async () => (await page.look()).stats.reconnects === 1);
});

scenario('garbage in the stream', async (c) => {
  await c.play(usual(), { seconds: c.index ? Infinity : 4 });
  c.send(Buffer.alloc(5_000, 0x5a));
}, async (page, stream) => {
  await page.moves();
  await until('a second connection', () => server.count(stream) === 2);
  await page.moves();
});

scenario('the network is held for 5 s, then everything comes at once', async (c) => {
  setTimeout(() => {
    c.hold();
    setTimeout(() => c.release(), 5_000);
  });
  await c.play(usual());
}, async (page, stream) => {
  await page.moves();
  await until('it stalls', async () => (await page.look()).log.some(({ state }) => state === 'buffering'), () => page.look());
  await page.near(1);
  await page.moves();
  assert.equal(server.count(stream), 1);
});

scenario('a server that stalls for 10 s', async (c) => {
  if (c.index === 0) setTimeout(() => c.hold(), 3_000);
  if (c.index === 1) {
    c.hold();
    setTimeout(() => c.release(), 4_000);
  }
  await c.play(usual());
}, async (page, stream) => {
  await page.moves();
  await until('a second connection', () => server.count(stream) === 2);
  await until('it is live', async () => (await page.look()).state === 'live', () => page.look());
  await page.near(1);
  await page.moves();
});

scenario('a publisher that comes back as another', async (c) => {
  await c.play(usual(), { seconds: 4 });
  await sleep(2_000);
  await c.play(clip({ size: '480x270', audio: 'aac', gop: 30 }), { promise: null, join: 0, clock: (t) => t + 4_000 });
}, async (page) => {
  await page.moves();
  await until('the new picture', async () => (await page.look()).width === 480, () => page.look());
  await page.moves();
  await page.near(1);
});

test('the player waits for a stream that has not started', LIMIT, async () => {
  const url = server.stream('later', 404);
  const page = await PlayerPage.open(browser, server.url);
  await page.play(url);
  await until('waiting', async () => (await page.look()).state === 'waiting');
  server.stream('later', (c) => c.play(usual()));
  await page.moves();
  await page.close();
});

test('a refusal is final, with a code', LIMIT, async () => {
  const url = server.stream('secret', 403);
  const page = await PlayerPage.open(browser, server.url);
  await page.play(url);
  await until('error', async () => (await page.look()).state === 'error');
  assert.deepEqual(codes(await page.look(), 'error'), ['forbidden']);
  await page.close();
});

scenario('pause, then play, is live again', (c) => c.play(usual()), async (page) => {
  await page.moves();
  await page.page.evaluate(() => window.player.pause());
  const { time } = await page.look();
  await sleep(4_000);
  assert.equal((await page.look()).time, time);
  await page.page.evaluate(() => window.player.play());
  await page.near(1);
  await page.moves();
});
