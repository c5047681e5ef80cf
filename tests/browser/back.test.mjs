// A page without a reload: its players start when a stream starts, and reconnect when the server returns. The test prints
// the time that this takes; `OUTAGE=30000` makes the outage longer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { LIMIT, launch, openPage, startGateway, until } from './harness.mjs';
import { servePages } from './pages-server.mjs';

/** Duration after which the waits between attempts have their maximum. */
const OUTAGE = Number(process.env.OUTAGE ?? 6_000);
const WAYS = { webrtc: '/whep', flv: '.flv', 'ws-flv': '.flv', hls: '.m3u8' };
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {Awaited<ReturnType<typeof servePages>>} */ let site;
/** @type {() => Promise<unknown>} */ let unpublish = async () => {};
before(async () => {
  site = await servePages();
  gateway = await startGateway();
  browser = await launch(['--mute-audio']);
});
after(async () => {
  await browser?.close();
  await unpublish();
  await gateway?.stop();
  await site?.close();
});

/** Publishes a test video with a key frame each second as live/x. */
function publish() {
  const child = spawn('ffmpeg', ['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=480x270:rate=30',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '30', '-f', 'flv',
    `${gateway.rtmp}/live/x`], { stdio: 'ignore' });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  return () => {
    child.kill('SIGKILL');
    return ended;
  };
}

/** Returns the time when the gateway has the stream in each protocol, by the clock of this machine. */
async function there() {
  const live = await until('the stream', async () => {
    const answer = await fetch(`${gateway.http}/api/v1/streams?count=100`).then((response) => response.json(), () => ({}));
    return answer.streams?.some((/** @type {any} */ one) => one.publish.active && one.video) && Date.now();
  });
  const list = await until('the playlist', async () => {
    const response = await fetch(`${gateway.http}/live/x.m3u8`).catch(() => null);
    return response?.ok && Date.now();
  });
  return { webrtc: live, flv: live, 'ws-flv': live, hls: list };
}

/** Opens four players on a page of another origin, which survives an outage of the gateway. */
async function players() {
  const { page, close } = await openPage(browser);
  const elements = Object.entries(WAYS).map(([way, ending]) => {
    const at = way === 'ws-flv' ? gateway.http.replace('http', 'ws') : gateway.http;
    return `<srs-player id="${way}" url="${at}/live/x${ending}" protocol="${way}" width="320" autoplay muted controls></srs-player>`;
  }).join('');
  site.extra['/test'] = `<!doctype html><title>test</title><link rel="icon" href="data:,">${elements}<script src="/srs-player.js"></script>`;
  await page.goto(`${site.origin}/test`);
  /** Resolves to the times when each player shows a new frame. */
  const shown = () => page.evaluate(() => {
    window.shown = {};
    for (const player of document.querySelectorAll('srs-player')) {
      let last = player.video.getVideoPlaybackQuality().totalVideoFrames;
      // Frames that were decoded before do not count.
      player.video.requestVideoFrameCallback(function seen() {
        const now = player.video.getVideoPlaybackQuality().totalVideoFrames;
        if (now !== last && player.state === 'live') window.shown[player.id] ??= Date.now();
        last = now;
        if (!window.shown[player.id]) player.video.requestVideoFrameCallback(seen);
      });
    }
  });
  const all = (/** @type {string} */ what) => until(what, async () => {
    const times = await page.evaluate(() => window.shown);
    return Object.keys(times).length === Object.keys(WAYS).length && times;
  });
  const states = () => page.evaluate(() => [...document.querySelectorAll('srs-player')].map(({ state }) => state));
  return { page, shown, all, states, close };
}

test('players start when their stream starts, and reconnect when the server returns', LIMIT, async (t) => {
  const { page, shown, all, states, close } = await players();
  const tell = (/** @type {string} */ what, /** @type {Record<string, number>} */ times, /** @type {Record<string, number>} */ since) => {
    for (const way of Object.keys(WAYS)) t.diagnostic(`${what}: ${way} after ${times[way] - since[way]} ms`);
  };
  await until('all to wait', async () => (await states()).every((state) => state === 'waiting'));
  await shown();
  unpublish = publish();
  tell('started later', ...await Promise.all([all('the first pictures'), there()]));

  const at = gateway.addresses;
  await gateway.stop();
  await unpublish();
  await until('all to notice', async () => (await states()).every((state) => /waiting|reconnecting|connecting/.test(state)));
  await new Promise((resolve) => { setTimeout(resolve, OUTAGE); });
  await shown();
  gateway = await startGateway([], at);
  unpublish = publish();
  tell('came back', ...await Promise.all([all('the pictures to be back'), there()]));
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('srs-player')].map(({ state, error }) => [state, error])),
    Object.keys(WAYS).map(() => ['live', null]));
  await close();
});
