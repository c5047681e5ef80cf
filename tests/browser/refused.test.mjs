// Errors: the player reports the reason after few attempts, and plays the tracks that can be played.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { LIMIT, until } from './harness.mjs';
import { PlayerPage, startBrowser } from './support/browser.mjs';
import { clip } from './support/clips.mjs';
import { startRecordings } from './support/recordings.mjs';
import { startServer } from './support/server.mjs';

/** @type {Awaited<ReturnType<typeof startRecordings>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  server = await startRecordings();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Plays an address, and returns the error. */
async function failure(url, page = server.url) {
  const player = await PlayerPage.open(browser, page);
  await player.play(url);
  await until('the error', async () => (await player.look()).state === 'error', () => player.look());
  const { code, message } = (await player.look()).log.findLast(({ type }) => type === 'error');
  await player.close();
  return { code, message };
}

test('a web page with status 200 is recognized at once, regardless of the address', LIMIT, async () => {
  await Promise.all(['/page.flv', '/page.m3u8', '/page.ts', '/watch'].map(async (path) => {
    const url = server.answer(path, (_, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(`<!doctype html><title>Sign in</title>${'<p>no stream here'.repeat(2000)}`);
    });
    assert.equal((await failure(url)).code, 'unsupported-format', path);
    assert.ok(server.count(path) <= 2, `${server.count(path)} requests for ${path}`);
  }));
});

test('a server without CORS headers is recognized, with advice', LIMIT, async () => {
  const elsewhere = server.url.replace('127.0.0.1', 'localhost');
  await Promise.all([['/closed.flv', '/long.flv'], ['/closed.m3u8', '/long/index.m3u8']].map(async ([path, file]) => {
    server.answer(path, Object.assign((_, response, send) => send(file), { bare: true }));
    const { code, message } = await failure(elsewhere + path);
    assert.equal(code, 'cors', message);
    assert.match(message, /Access-Control-Allow-Origin/);
    assert.ok(server.count(path) <= 14, `${server.count(path)} requests for ${path}`);
  }));
  // A server that answers slowly.
  server.answer('/slow.flv', Object.assign((request, response, send) => (
    request.method === 'HEAD' ? setTimeout(() => response.end(), 2_000) : send('/long.flv')), { bare: true }));
  assert.equal((await failure(`${elsewhere}/slow.flv`)).code, 'cors');
});

test('credentials in an address are reported without a request', LIMIT, async () => {
  for (const path of ['/named.flv', '/named.m3u8']) {
    const { code, message } = await failure(server.answer(path, 404).replace('://', '://user:word@'));
    assert.equal(code, 'bad-url');
    assert.match(message, /token/);
    assert.equal(server.count(path), 0);
  }
});

test('a policy without media-src is reported, with the missing source', LIMIT, async () => {
  const policy = encodeURIComponent("default-src 'self'; connect-src *; script-src 'self' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data:");
  const { code, message } = await failure(`${server.url}/long.flv`, `${server.url}/?policy=${policy}`);
  assert.equal(code, 'csp', message);
  assert.match(message, /media-src blob:/);
  assert.equal(server.count('/long.flv'), 1);
});

test('audio with channels that browsers do not support is dropped with a warning', LIMIT, async () => {
  await Promise.all(['/pce.flv', '/quad.flv'].map(async (path) => {
    const player = await PlayerPage.open(browser, server.url);
    await player.play(server.url + path);
    await until('four seconds of it', async () => (await player.look()).time > 4, () => player.look());
    const look = await player.look();
    const warnings = look.log.filter(({ type }) => type === 'warning').map(({ code }) => code);
    assert.deepEqual(warnings, ['audio-unsupported']);
    assert.ok(look.decoded > 40 && look.stats.reconnects === 0, JSON.stringify(look.stats));
    assert.equal(server.count(path), 1);
    await player.close();
  }));
});

test('MP3 and VP8 are dropped with their name and advice, and the other track plays', LIMIT, async () => {
  await Promise.all([
    ['/mp3.flv', 'audio-unsupported', /MP3.*AAC/, 'avc1'], ['/vp8.flv', 'codec-unsupported', /VP8.*webrtc:/, 'mp4a'],
  ].map(async ([path, code, words, codecs]) => {
    const player = await PlayerPage.open(browser, server.url);
    await player.play(server.url + path);
    await until('four seconds of it', async () => (await player.look()).time > 4, () => player.look());
    const { log, stats } = await player.look();
    const told = log.filter(({ type }) => type === 'warning' || type === 'error');
    assert.deepEqual(told.map((entry) => [entry.type, entry.code]), [['warning', code]], JSON.stringify(log));
    assert.match(told[0].message, words);
    assert.match(stats.codecs, new RegExp(`^${codecs}[^,]*$`));
    assert.equal(server.count(path), 1);
    await player.close();
  }));
});

test('a stream with VP8 only ends in an error that names players for it', LIMIT, async () => {
  const { code, message } = await failure(`${server.url}/vp8-alone.flv`);
  assert.equal(code, 'codec-unsupported');
  assert.match(message, /VP8.*webrtc:/);
  assert.equal(server.count('/vp8-alone.flv'), 1);
});

test('a seventh stream from a host reports that the browser has no connection left, and plays when it has one', LIMIT, async () => {
  const live = await startServer();
  try {
    const url = live.stream('wall', (connection) => connection.play(clip({ size: '320x180' })));
    const opened = await PlayerPage.open(browser, server.url);
    const { page } = opened;
    await page.evaluate(async (url) => {
      const { Player } = await import('/srs-player/player.js');
      window.wall = [...Array(7)].map(() => {
        const video = document.body.appendChild(document.createElement('video'));
        const player = new Player(video);
        /** @type {any[]} */ const states = [];
        player.addEventListener('state', ({ detail }) => states.push(detail));
        player.load(url);
        player.play().catch(() => {});
        return { player, states };
      });
    }, url);
    const look = () => page.evaluate(() => window.wall.map(({ player, states }) => ({ state: player.state, last: states.at(-1) })));
    await until('six that play and one that says why not', async () => {
      const players = await look();
      const waiting = players.filter(({ last }) => last?.state === 'waiting' && last.code === 'connections');
      return players.filter(({ state }) => state === 'live').length === 6 && waiting.length === 1 && /six/.test(waiting[0].last.message);
    }, look);
    await page.evaluate(() => window.wall.find(({ player }) => player.state === 'live').player.destroy());
    await until('the seventh', async () => (await look()).filter(({ state }) => state === 'live').length === 6, look);
    await opened.close();
  } finally {
    await live.close();
  }
});
