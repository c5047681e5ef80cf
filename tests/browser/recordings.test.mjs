// Recordings and live windows: they play completely, and the viewer can seek.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { LIMIT, until } from './harness.mjs';
import { PlayerPage, startBrowser } from './support/browser.mjs';
import { clip } from './support/clips.mjs';
import { SECONDS, playlist, segments, startRecordings } from './support/recordings.mjs';
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

/** Plays an address on its own page and records the media times of shown frames. */
async function play(url, options = {}) {
  const page = await PlayerPage.open(browser, server.url);
  await page.page.evaluate(() => {
    window.seen = [];
    window.most = 0;
    window.empty = 0;
    const video = document.querySelector('video');
    video.addEventListener('emptied', () => window.empty++);
    const note = (now, { mediaTime }) => {
      window.seen.push(mediaTime);
      const { buffered, currentTime } = video;
      if (buffered.length) window.most = Math.max(window.most, buffered.end(buffered.length - 1) - currentTime);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  });
  await page.play(url, options);
  return page;
}

const ended = (page) => until('the end', async () => (await page.look()).state === 'ended', () => page.look());
const notes = (page) => page.page.evaluate(() => ({ seen: window.seen, most: window.most, empty: window.empty }));
const goTo = (page, time) => page.page.evaluate((to) => { window.video.currentTime = to; }, time);
const warnings = (look) => look.log.filter(({ type }) => type === 'warning').map(({ code }) => code);
/** Checks that playback continues from about a time. */
const playsAt = (page, from, to = from + 4) => until(`it plays at ${from} s`, async () => {
  const { time, ready, state } = await page.look();
  return ready >= 3 && state === 'live' && time > from && time < to;
}, () => page.look());

/** Seconds of a frame or two: Chromium may show frames twice at the start. */
const MOMENT = 0.1;

/** Checks that no part longer than a moment was skipped. */
function whole(seen, from, to, hole = 1.2) {
  assert.ok(seen[0] < from + 0.5, `begins at ${seen[0]}`);
  for (let n = 1; n < seen.length; n++) {
    assert.ok(seen[n] - seen[n - 1] < hole && seen[n] > seen[n - 1] - MOMENT, `${seen[n - 1]} is followed by ${seen[n]}`);
  }
  assert.ok(seen.at(-1) > to - 1, `ends at ${seen.at(-1)}`);
}

for (const [name, path] of Object.entries({
  HLS: '/long/index.m3u8', FLV: '/long.flv', 'FLV without a length': '/gzip/long.flv',
})) {
  test(`a recording of a minute plays whole: ${name}`, LIMIT, async () => {
    const page = await play(server.url + path);
    await page.moves();
    await page.page.evaluate(() => { window.video.playbackRate = 4; });
    await ended(page);
    const { seen, most } = await notes(page);
    whole(seen, name === 'FLV without a length' ? 1 : 0, SECONDS);
    // Memory must be bounded: without a length, the player needs longer to recognize a file.
    if (name !== 'FLV without a length') assert.ok(most < 35, `${most} s were loaded ahead`);
    assert.equal(server.count(path), 1);
    assert.deepEqual(warnings(await page.look()), []);
    await page.close();
  });
}

test('an FLV recording starts at its beginning on a slow page, and continues where its connection broke', LIMIT, async () => {
  let times = 0;
  const url = server.answer('/broken.flv', (request, response, send) => {
    times++;
    if (times > 1) return send('/long.flv');
    const end = response.end.bind(response);
    // The first connection ends in the middle of it.
    response.end = (body) => {
      response.write(body.subarray(0, body.length / 2), () => { setTimeout(() => response.destroy(), 300); });
      return end;
    };
    return send('/long.flv');
  });
  const page = await play(url);
  const cdp = await page.page.context().newCDPSession(page.page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.moves();
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  await page.page.evaluate(() => { window.video.playbackRate = 4; });
  await ended(page);
  whole((await notes(page)).seen, 0, SECONDS, 2);
  const ranges = server.requests.filter(({ path }) => path === '/broken.flv').map(({ range }) => range);
  assert.equal(ranges[0], undefined);
  assert.match(ranges[1], /^bytes=\d{3,}-$/);
  await page.close();
});

test('the viewer can seek anywhere in a recording, over HLS and FLV', LIMIT, async () => {
  for (const path of ['/long/index.m3u8', '/long.flv']) {
    const page = await play(server.url + path);
    await page.moves();
    assert.equal(Math.round(await page.page.evaluate(() => window.video.duration)), SECONDS);
    await goTo(page, 50);
    await playsAt(page, 50);
    await goTo(page, 0);
    await playsAt(page, 0);
    // Seek while paused, and in many small steps like a dragged thumb.
    await page.page.evaluate(async () => {
      window.video.pause();
      for (let time = 10; time <= 40; time += 2) {
        window.video.currentTime = time;
        await new Promise((resolve) => { setTimeout(resolve, 20); });
      }
    });
    await until('a picture', async () => !(await page.page.evaluate(() => window.video.seeking)), () => page.look());
    assert.equal(Math.round((await page.look()).time), 40);
    await page.page.evaluate(() => window.player.play());
    await playsAt(page, 40, 45);
    await goTo(page, 59);
    await ended(page);
    // Seek from the end back to the beginning.
    await page.page.evaluate(() => { window.video.currentTime = 3; void window.player.play(); });
    await playsAt(page, 3);
    await page.close();
  }
});

test('a segment that fails sometimes is fetched again; a missing one is skipped; if all are missing, an error is shown', LIMIT, async () => {
  const all = segments('long').slice(0, 8);
  const tries = {};
  const failing = (name, status, times, file) => {
    server.answer(name, (_, response, send) => {
      tries[name] = (tries[name] ?? 0) + 1;
      return tries[name] > times ? send(file) : response.writeHead(status).end();
    });
    return `#EXTINF:2,\n${name}`;
  };
  const once = [...all];
  once[2] = failing('/once404.ts', 404, 1, '/long/s2.ts');
  once[4] = failing('/twice503.ts', 503, 2, '/long/s4.ts');
  const page = await play(server.answer('/once.m3u8', playlist(once)));
  await page.moves();
  await page.page.evaluate(() => { window.video.playbackRate = 2; });
  await ended(page);
  whole((await notes(page)).seen, 0, 16);
  assert.deepEqual(warnings(await page.look()), []);
  await page.close();

  for (const gap of [true, false]) {
    const lines = [...all];
    lines[3] = gap ? '#EXT-X-GAP\n#EXTINF:2,\n/nothing.ts' : '#EXTINF:2,\n/nothing.ts';
    const other = await play(server.answer(`/gap-${gap}.m3u8`, playlist(lines)));
    await other.moves();
    await other.page.evaluate(() => { window.video.playbackRate = 2; });
    await ended(other);
    const { seen, empty } = await notes(other);
    whole(seen, 0, 16, 3);
    assert.ok(!seen.some((time) => time > 6.2 && time < 7.8));
    assert.deepEqual([warnings(await other.look()), empty], [gap ? [] : ['segment-missing'], 0]);
    assert.equal((await other.look()).stats.reconnects, 0);
    await other.close();
  }

  const gone = await play(server.answer('/gone.m3u8', playlist([...all.slice(0, 2), ...Array(6).fill('#EXTINF:2,\n/nothing.ts')])));
  await until('the error', async () => (await gone.look()).state === 'error', () => gone.look());
  assert.equal((await gone.look()).log.at(-1).code, 'segment-missing');
  await gone.close();
});

test('an advertisement with other audio plays without a new MediaSource, also at the start', LIMIT, async () => {
  const [main, ad] = [segments('small'), segments('ad')];
  const cut = '#EXT-X-DISCONTINUITY';
  for (const [name, lines, length] of [
    ['middle', [...main.slice(0, 3), cut, ...ad, cut, ...main.slice(3, 6)], 18],
    ['start', [...ad, cut, ...main.slice(0, 3)], 12],
  ]) {
    const page = await play(server.answer(`/ad-${name}.m3u8`, playlist(lines)));
    await page.moves();
    await page.page.evaluate(() => { window.video.playbackRate = 2; });
    await ended(page);
    const { seen, empty } = await notes(page);
    whole(seen, 0, length);
    assert.equal(empty, 0, name);
    await page.close();
  }
});

test('the viewer can seek back in a live window, stays there, and returns to live', LIMIT, async () => {
  const page = await play(`${server.url}/live/long?window=40&since=${Date.now() - 100_000}`, { latency: 'low' });
  await page.moves();
  const begin = await until('the window', () => page.page.evaluate(() => window.video.seekable.length && window.video.seekable.start(0)));
  const { time } = await page.look();
  assert.ok(time - begin > 20, `${time - begin} s of it lie before the start`);
  await goTo(page, time - 25);
  await playsAt(page, time - 25, time - 20);
  // Latency control must not move the playhead.
  await until('five more seconds', async () => (await page.look()).time > time - 20, () => page.look());
  const look = await page.look();
  assert.ok(look.time < time - 15 && look.stats.behind, JSON.stringify(look.stats));
  assert.ok(look.stats.latency > 20, JSON.stringify(look.stats));
  // A seek before the window goes to the first segment.
  await goTo(page, 0);
  await until('the begin of the window', async () => {
    const { state, ready, time: now } = await page.look();
    return state === 'live' && ready >= 3 && now < time - 25;
  }, () => page.look());
  await page.page.evaluate(() => window.player.goLive());
  await page.near(8);
  assert.ok(!(await page.look()).stats.behind || await until('no longer behind', async () => !(await page.look()).stats.behind));
  await page.close();
});

test('the viewer can seek back in a live stream, and stays back until going to live', LIMIT, async () => {
  const streams = await startServer();
  try {
    const usual = clip();
    for (const address of [streams.stream('back', (c) => c.play(usual)), streams.stream('ws', (c) => c.play(usual)).replace('http', 'ws')]) {
      const page = await PlayerPage.open(browser, streams.url);
      await page.play(address, { latency: 'realtime' });
      await page.moves();
      await goTo(page, 0);
      await page.moves();
      assert.equal((await page.look()).state, 'live');
      await page.page.evaluate(() => window.player.goLive());
      await page.near(1.5);
      await until('ten seconds', async () => (await page.look()).time > 10);
      const before = await page.look();
      await goTo(page, before.time - 5);
      await playsAt(page, before.time - 5, before.time - 2);
      await until('three more seconds', async () => (await page.look()).time > before.time - 2);
      assert.ok((await page.look()).stats.latency > 4, JSON.stringify((await page.look()).stats));
      await page.page.evaluate(() => window.player.goLive());
      await page.near(1.5);
      await page.close();
    }
  } finally {
    await streams.close();
  }
});
