// Player and publisher in Debian's Firefox, which supports H.264 in MediaSource and WebCodecs, but not in WebRTC, and
// cannot open a peer connection to 127.0.0.1.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { LIMIT, startGateway, until } from './harness.mjs';
import { servePages } from './pages-server.mjs';
import { startFirefox } from './support/firefox.mjs';

const run = promisify(execFile);
/** @type {Awaited<ReturnType<typeof startFirefox>>} */ let firefox;
/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {Awaited<ReturnType<typeof servePages>>} */ let site;

before(async () => {
  [firefox, gateway, site] = await Promise.all([startFirefox(), startGateway(['--demo']), servePages({}, '')]);
}, LIMIT);
after(async () => {
  await firefox?.close();
  await site?.close();
  await gateway?.stop();
});

/** @param {string} body */
async function open(body) {
  site.extra['/firefox'] = `<!doctype html><title>Firefox</title><link rel="icon" href="data:,">${body}<script src="${gateway.http}/srs-player.js"></script>`;
  const page = await firefox.open(`${site.origin}/firefox`);
  const name = /<(srs-\w+)/.exec(body)?.[1];
  await until('the element', () => page.evaluate(`!!customElements.get('${name}')`));
  await page.evaluate(`void Object.assign(window, { element: document.querySelector('${name}'), warnings: [] })`);
  await page.evaluate("void element.addEventListener('warning', ({ detail }) => warnings.push([detail.code, detail.message]))");
  return page;
}

/** @param {string} url @param {string} [more] */
const player = (url, more = '') => open(`<srs-player url="${url}" muted ${more}></srs-player>`);

/** Checks that the video moves and its frames are counted. @param {Awaited<ReturnType<typeof open>>} page */
async function moves(page) {
  await page.evaluate('void element.play().catch(() => {})');
  const look = () => page.evaluate(`({ state: element.state, time: element.currentTime, width: element.videoWidth, ...element.stats, error: element.error, warnings })`);
  return until('the picture to move', async () => {
    const now = await look();
    assert.equal(now.error, null);
    return now.state === 'live' && now.protocol && now.time > 0.5 && now.decoded > 10 && now.width > 0 ? now : null;
  }).catch(async (error) => assert.fail(`${error.message} ${JSON.stringify(await look())}`));
}

test('Firefox plays FLV by HTTP and WebSocket, and HLS', LIMIT, async () => {
  const http = gateway.http;
  for (const [url, protocol] of [
    [`${http}/live/livestream.flv`, 'http-flv'], [`${http.replace('http', 'ws')}/live/livestream.flv`, 'ws-flv'], [`${http}/live/livestream.m3u8`, 'hls'],
  ]) {
    const page = await player(url);
    const shown = await moves(page);
    assert.equal(shown.protocol, protocol);
    assert.deepEqual(shown.warnings, []);
    await page.close();
  }
});

test('Firefox plays the stream of a webrtc:// address over HTTP-FLV, and says why', LIMIT, async () => {
  const page = await player(`webrtc://${new URL(gateway.http).host}/live/livestream`);
  const shown = await moves(page);
  assert.equal(shown.protocol, 'http-flv');
  // Debian's Firefox has no H.264 for WebRTC. With the OpenH264 plugin, the address would be the reason.
  assert.match(shown.warnings[0]?.[0], /^(codec-unsupported|no-webrtc)$/);
  await page.close();
});

test('Firefox publishes H.264 over a WebSocket', LIMIT, async () => {
  const host = new URL(gateway.http).host;
  const page = await open(`<srs-publisher url="webrtc://${host}/live/fox" width="640" height="360"></srs-publisher>`);
  await page.evaluate('void element.start().catch(() => {})');
  await until('to be live', async () => {
    const [state, error] = await page.evaluate('[element.state, element.error]');
    assert.equal(error, null);
    return state === 'live';
  });
  const [protocol, warnings] = [await until('figures', () => page.evaluate('element.stats?.protocol')), await page.evaluate('warnings')];
  assert.equal(protocol, 'ws-flv');
  assert.deepEqual(warnings.find(([code]) => code === 'fallback')?.[0], 'fallback');
  // Without an audio output, Firefox does not run an AudioContext, and the page must report it.
  const silent = warnings.some(([code]) => code === 'sound-suspended');
  const stream = await until('the stream', async () => {
    const { streams } = await (await fetch(`${gateway.http}/api/v1/streams?count=100`)).json();
    const found = streams.find(({ name }) => name === 'fox');
    return found?.video && (silent || found.audio) ? found : null;
  });
  assert.deepEqual([stream.video.codec, stream.video.width, stream.video.height], ['H264', 640, 360]);
  const frames = async (/** @type {string} */ url) => {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-read_intervals', '%+2', '-show_entries', 'stream=width,height:frame=pict_type',
      '-of', 'json', url]);
    return JSON.parse(stdout);
  };
  for (const ending of ['flv', 'm3u8']) {
    const { streams: [video], frames: all } = await frames(`${gateway.http}/live/fox.${ending}`);
    assert.deepEqual([video.width, video.height], [640, 360]);
    assert.ok(all.length > 10 && all.some(({ pict_type: type }) => type === 'I'), `${ending}: ${all.length} frames`);
  }
  // Firefox plays its own stream.
  const viewer = await player(`${gateway.http}/live/fox.flv`);
  await moves(viewer);
  await viewer.close();
  await page.evaluate('element.stop()');
  await page.close();
});

test('Firefox reports 127.0.0.1 as the reason if only WebRTC is allowed', LIMIT, async () => {
  const page = await open(`<srs-publisher url="webrtc://${new URL(gateway.http).host}/live/only" protocol="webrtc"></srs-publisher>`);
  await page.evaluate(`void Object.assign(window, { waits: [], setTimeout: new Proxy(setTimeout, {
    apply(real, self, given) {
      waits.push(given[1]);
      return Reflect.apply(real, window, given);
    },
  }) })`);
  await page.evaluate('void element.start().catch(() => {})');
  const error = await until('an error', () => page.evaluate('element.error'));
  assert.equal(error.code, 'ice');
  assert.match(error.message, /^Firefox makes no WebRTC connection to a server that listens on 127\.0\.0\.1 alone/);
  // The player waits ten seconds for the answer, and as long for a connection to an unknown address.
  const waits = await page.evaluate('waits');
  assert.ok(waits.includes(1_500) && waits.filter((wait) => wait >= 10_000).length <= 1, `waited ${waits}`);
  await page.close();
});
