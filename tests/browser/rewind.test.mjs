// Recordings of the gateway, and other HLS of fragmented MP4: live with all of the past, and afterwards.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';

import { LIMIT, startGateway, until } from './harness.mjs';
import { PlayerPage, startBrowser } from './support/browser.mjs';
import { startRecordings } from './support/recordings.mjs';

/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {Awaited<ReturnType<typeof startRecordings>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  gateway = await startGateway(['--record', 'live/*', '--record-free', '0', '--reconnect', '1']);
  server = await startRecordings();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.close();
  await gateway?.stop();
});

/** Publishes a running test picture and a tone until it is stopped. @param {string} name @param {string[]} [options] */
function publish(name, options = ['-g', '30']) {
  const child = spawn('ffmpeg', ['-v', 'error', '-re',
    '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', ...options,
    '-c:a', 'aac', '-f', 'flv', `${gateway.rtmp}/live/${name}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/** The recording of a stream. @param {string} name */
async function recording(name) {
  const answer = await fetch(`${gateway.http}/api/v1/records?stream=live/${name}&secret=${gateway.secret}`);
  return (await answer.json()).records?.[0];
}

/** Waits until a stream's recording is so long. @param {string} name @param {number} seconds */
const recorded = (name, seconds) => until(`${seconds} s of ${name}`, async () => {
  const found = await recording(name);
  return found?.duration_ms >= seconds * 1000 && found;
}, () => recording(name));

/** @param {string} url @param {object} [options] */
async function play(url, options = {}) {
  const page = await PlayerPage.open(browser, server.url);
  await page.play(url, options);
  return page;
}

const goTo = (page, time) => page.page.evaluate((to) => { window.video.currentTime = to; }, time);
const playsAt = (page, from, to) => until(`it plays between ${from} and ${to} s`, async () => {
  const { time, ready, state } = await page.look();
  return ready >= 3 && state === 'live' && time >= from && time < to;
}, () => page.look());
const duration = (page) => page.page.evaluate(() => window.video.duration);
const seekable = (page) => page.page.evaluate(() => {
  const { seekable } = window.video;
  return seekable.length ? [seekable.start(0), seekable.end(seekable.length - 1)] : [];
});

test('a viewer goes back to the beginning while the stream is live, to live again, and plays it whole afterwards', LIMIT, async () => {
  const stop = publish('x');
  let page;
  try {
    await recorded('x', 14);
    const { playlist } = await recording('x');
    page = await play(`${gateway.http}${playlist}`, { latency: 'low' });
    await page.moves();
    const first = await page.look();
    assert.equal(first.stats.protocol, 'hls');
    assert.ok(first.time > 6, `it begins near live: ${first.time}`);
    assert.equal(await duration(page), Infinity);
    const [begin, end] = await seekable(page);
    assert.ok(begin === 0 && end > 10, `${begin} to ${end}`);
    // The beginning is not in the buffer.
    await goTo(page, 0.5);
    await playsAt(page, 0.5, 6);
    await page.moves();
    await page.page.evaluate(() => window.player.goLive());
    await playsAt(page, 8, 1000);
    // What comes later is seen, too.
    const { time } = await page.look();
    await playsAt(page, time + 3, 1000);
    await stop();
    await until('a finished recording', async () => (await recording('x'))?.state === 'finished', () => recording('x'));
    await until('the end', async () => (await page.look()).state === 'ended', () => page.look());
    const { log } = await page.look();
    assert.deepEqual(log.filter(({ type }) => type === 'warning' || type === 'error'), []);
    await page.close();
    const { duration_ms: length } = await recording('x');
    page = await play(`${gateway.http}${playlist}`);
    await page.moves();
    await until('a duration', async () => Math.abs(await duration(page) - length / 1000) < 0.5, () => duration(page));
    for (const at of [length / 1000 - 3, 2, length / 2000]) {
      await goTo(page, at);
      await playsAt(page, at, at + 3);
    }
    await goTo(page, length / 1000 - 1);
    await until('the end', async () => (await page.look()).state === 'ended', () => page.look());
  } finally {
    await stop();
    await page?.close();
  }
});

test('a place between distant key frames is found', LIMIT, async () => {
  // A key frame every 25 s: most segments of the playlist begin without one.
  const stop = publish('gop', ['-g', '750', '-keyint_min', '750', '-sc_threshold', '0']);
  await recorded('gop', 23);
  await stop();
  await until('a finished recording', async () => (await recording('gop'))?.state === 'finished', () => recording('gop'));
  const page = await play(`${gateway.http}${(await recording('gop')).playlist}`);
  await page.moves();
  await goTo(page, 17);
  await playsAt(page, 17, 22);
  await page.close();
});

test('HLS of fragmented MP4 from other servers plays and seeks', LIMIT, async () => {
  const page = await play(`${server.url}/fmp4/index.m3u8`);
  await page.moves();
  await until('sound', async () => (await page.loudness()) > 0.02);
  await goTo(page, 15);
  await playsAt(page, 15, 18);
  await goTo(page, 3);
  await playsAt(page, 3, 7);
  await page.page.evaluate(() => { window.video.playbackRate = 8; });
  await until('the end', async () => (await page.look()).state === 'ended', () => page.look());
  assert.ok(Math.abs(await duration(page) - 20) < 0.5);
  await page.close();
});

test('audio of its own plays together with the video', LIMIT, async () => {
  const master = ['#EXTM3U', '#EXT-X-VERSION:7',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="/audio/index.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=300000,CODECS="avc1.42c00c,mp4a.40.2",AUDIO="a"', '/video/index.m3u8', ''].join('\n');
  const page = await play(server.answer('/separate.m3u8', master));
  await page.moves();
  await until('sound', async () => (await page.loudness()) > 0.02);
  await goTo(page, 12);
  await playsAt(page, 12, 16);
  await until('sound after a seek', async () => (await page.loudness()) > 0.02);
  await page.close();
});

test('a missing segment and an encrypted playlist are errors with a name', LIMIT, async () => {
  const list = (lines) => ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:2', ...lines, '#EXTINF:2,', '/nothing.m4s', '#EXT-X-ENDLIST', ''].join('\n');
  for (const [path, text, code] of [
    ['/missing.m3u8', list(['#EXT-X-MAP:URI="/fmp4/init.mp4"']), 'not-found'],
    ['/no-init.m3u8', list(['#EXT-X-MAP:URI="/long/s0.ts"']), 'unsupported-format'],
    // The browser's own HLS could decrypt it, but there is no key.
    ['/locked.m3u8', list(['#EXT-X-MAP:URI="/fmp4/init.mp4"', '#EXT-X-KEY:METHOD=AES-128,URI="k"']), 'network'],
  ]) {
    const page = await play(server.answer(path, text), { retry: 1 });
    const error = await until(`an error: ${path}`, async () => (await page.look()).log.find(({ type }) => type === 'error'), () => page.look());
    assert.equal(error.code, code, path);
    await page.close();
  }
});
