// A gateway, Chromium with its fake camera and microphone, and pages with a publisher, for the tests that import this module.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before } from 'node:test';
import { promisify } from 'node:util';
import { endings, launch, openPage, startGateway, until } from '../harness.mjs';

// The second fake camera gives depth, not colour.
export const CAPTURE = ['--use-fake-device-for-media-stream=device-count=3,fps=30', '--use-fake-ui-for-media-stream'];
export const run = promisify(execFile);
export const PAGE = '/players/rtc_publisher.html';
/** @type {import('playwright-core').Browser} */ export let browser;
/** @type {Awaited<ReturnType<typeof startGateway>>} */ export let gateway;
before(async () => {
  gateway = await startGateway(['--reconnect', '3']);
  browser = await launch(CAPTURE);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** Counts the devices, peer connections and sockets that a page opens. */
export const spy = () => {
  const counts = { getUserMedia: 0, getDisplayMedia: 0, enumerateDevices: 0, RTCPeerConnection: 0, WebSocket: 0, AudioContext: 0 };
  const media = navigator.mediaDevices;
  for (const name of ['getUserMedia', 'getDisplayMedia', 'enumerateDevices']) {
    const real = media[name].bind(media);
    media[name] = (...args) => {
      counts[name]++;
      return real(...args);
    };
  }
  for (const name of ['RTCPeerConnection', 'WebSocket', 'AudioContext']) {
    window[name] = new Proxy(window[name], {
      construct(target, args) {
        counts[name]++;
        return Reflect.construct(target, args);
      },
    });
  }
  window.opened = counts;
};

/** Opens the publisher's page for a stream. */
export async function open(name, { host = gateway, at = browser, path = PAGE, ...options } = {}) {
  const opened = await openPage(at, options);
  const { page } = opened;
  await page.addInitScript(spy);
  await page.goto(`${host.http}${path}?stream=${name}`);
  await page.waitForFunction(() => customElements.get('srs-publisher'));
  return { ...opened, ...look(page), start: () => page.getByRole('button', { name: /^Go live|开始直播$/ }).click() };
}

/** Functions that read the state of the page's publisher. @param {import('playwright-core').Page} page */
export function look(page) {
  const read = (work, argument) => page.evaluate(
    ([source, value]) => new Function('publisher', 'value', `return (${source})(publisher, value)`)(document.querySelector('srs-publisher'), value),
    [String(work), argument],
  );
  const state = (name) => until(`state ${name}`, async () => {
    const now = await read((p) => [p.state, p.error?.message ?? p.reason]);
    if (now[0] === 'error' && name !== 'error') throw new Error(now[1]);
    return now[0] === name;
  });
  return { read, state };
}

/** Opens a page with this HTML on the gateway's origin. @param {string} html */
export async function embed(html) {
  const opened = await openPage(browser);
  const asked = [];
  opened.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await opened.page.route('**/own.html', (route) => route.fulfill({
    contentType: 'text/html', body: `<!doctype html><title>own</title><link rel="icon" href="data:,">${html}<script src="/srs-player.js"></script>`,
  }));
  await opened.page.goto(`${gateway.http}/own.html`);
  return { ...opened, asked };
}

export const streams = async (host = gateway) => (await (await fetch(`${host.http}/api/v1/streams?count=100`)).json()).streams;
/** Returns the gateway's state of a stream. */
export const known = async (name, host) => (await streams(host)).find((stream) => stream.name === name);
export const onAir = (name, check = () => true) => until(`${name} on air`, async () => {
  const stream = await known(name);
  return stream?.publish.active && stream.video && check(stream) ? stream : null;
});

/**
 * Checks that the name is free because the publisher has closed it, not because of the timeout of half a minute.
 * @param {string} name
 * @param {number} [sessions] number of WebRTC sessions, which must all be closed by the publisher
 */
export async function freed(name, sessions = 1) {
  await until(`${name} to be free`, async () => !(await known(name))?.publish.active);
  const ended = () => endings(gateway, `live/${name}`);
  await until(`the end of ${sessions} sessions`, () => ended().length >= sessions, ended);
  if (sessions) assert.deepEqual(ended(), Array(sessions).fill('the client left'));
}

/** Plays a stream in its own page, as a viewer would. */
export async function watch(address) {
  const opened = await openPage(browser);
  await opened.page.goto(`${gateway.http}/players/srs_player.html?autoplay&muted&url=${encodeURIComponent(address)}`);
  await opened.page.waitForFunction(() => customElements.get('srs-player'));
  const read = () => opened.page.evaluate(() => {
    const { currentTime, videoWidth, videoHeight, video, stats } = document.querySelector('srs-player');
    return { currentTime, videoWidth, videoHeight, frames: video.getVideoPlaybackQuality().totalVideoFrames, sound: video.webkitAudioDecodedByteCount ?? 0, codecs: stats?.codecs };
  });
  /** Checks that video and audio arrive from now on. */
  const moves = async () => {
    const first = await read();
    return until('picture and sound', async () => {
      const now = await read();
      return now.currentTime > first.currentTime + 0.5 && now.frames > first.frames + 5 && now.sound > first.sound ? now : null;
    });
  };
  return { ...opened, read, moves };
}
