// What a WebRTC viewer in Chromium sees on a network that loses packets: node browser/measure-loss.mjs [seconds] [seed]
//
// A stream of 360p30 at 1.5 Mb/s comes by RTMP and is played by <srs-player> through a relay. It prints, for each
// part of lost packets, once in order and once with packets that overtake each other:
//   frozen       the part of the time that the picture stood still, by Chromium's totalFreezesDuration
//   shown        frames shown per second
//   again        packets sent again, for each hundred of the stream's
//   NACK, PLI    requests for lost packets per second; key frames that were asked for
//   concealed    the part of the sound that Chromium had to make up

import { spawn } from 'node:child_process';

import { openPage, startGateway, until } from './harness.mjs';
import { startBrowser } from './support/browser.mjs';
import { startRelay } from './support/relay.mjs';

const seconds = Number(process.argv[2] ?? 25);
const seed = Number(process.argv[3] ?? 1);
/** Seconds until receiver reports have told the gateway of the network. */
const SETTLE = 5;
const LOSSES = [0, 0.02, 0.05, 0.1];
/** One way, in milliseconds. */
const ORDERS = { 'in order': { delay: 40, jitter: 0 }, 'overtaking': { delay: 40, jitter: 30 } };

/** @param {string} to */
function publish(to) {
  const child = spawn('ffmpeg', [
    '-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '60', '-sc_threshold', '0',
    '-b:v', '1500k', '-maxrate', '1500k', '-bufsize', '750k', '-c:a', 'aac', '-f', 'flv', to,
  ], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/** What Chromium has counted so far. @param {import('playwright-core').Page} page */
const count = (page) => page.evaluate(async () => {
  const stats = [...(await window.peer.getStats()).values()];
  const of = (/** @type {string} */ kind) => stats.find((entry) => entry.type === 'inbound-rtp' && entry.kind === kind) ?? {};
  const [video, audio] = [of('video'), of('audio')];
  const player = document.querySelector('srs-player');
  return {
    at: performance.now(), shown: window.shown, protocol: player.stats?.protocol,
    frozen: video.totalFreezesDuration, freezes: video.freezeCount, packets: video.packetsReceived,
    again: video.retransmittedPacketsReceived ?? 0, nacks: video.nackCount, plis: video.pliCount,
    concealed: audio.concealedSamples, samples: audio.totalSamplesReceived,
  };
});

/**
 * Plays the stream through the relay.
 * @param {import('playwright-core').Browser} browser
 * @param {string} http the gateway
 * @param {number} port the relay's
 */
async function play(browser, http, port) {
  const { page, close } = await openPage(browser);
  await page.addInitScript(() => {
    const Peer = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Peer {
      constructor(...args) {
        super(...args);
        Object.assign(window, { peer: this });
      }
    };
    Object.assign(window, { shown: 0 });
  });
  await page.route(/whep/, async (route) => {
    const response = await route.fetch();
    const lines = (await response.text()).split('\r\n');
    // The relay is the only way: no other address, no TCP.
    const body = lines.flatMap((line) => {
      if (!line.startsWith('a=candidate:')) return [line];
      return / udp /i.test(line) ? [line.replace(/ 127\.0\.0\.1 \d+ /, ` 127.0.0.1 ${port} `)] : [];
    }).join('\r\n');
    await route.fulfill({ response, body });
  });
  const html = '<!doctype html><title>loss</title><link rel="icon" href="data:,"><srs-player muted></srs-player><script src="/srs-player.js"></script>';
  await page.route(`${http}/loss`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto(`${http}/loss`);
  await page.evaluate(async (url) => {
    await customElements.whenDefined('srs-player');
    const player = document.querySelector('srs-player');
    const seen = (_, { presentedFrames }) => {
      window.shown = presentedFrames;
      player.video.requestVideoFrameCallback(seen);
    };
    player.video.requestVideoFrameCallback(seen);
    player.url = url;
    player.play().catch(() => {});
  }, `webrtc://${new URL(http).host}/live/x`);
  await until('the picture', () => page.evaluate(() => window.shown > 30));
  return { page, close };
}

const gateway = await startGateway();
const browser = await startBrowser();
const stop = publish(`${gateway.rtmp}/live/x`);
try {
  await until('the stream', async () => {
    const abort = new AbortController();
    const { ok } = await fetch(`${gateway.http}/live/x.flv`, { signal: abort.signal });
    abort.abort();
    return ok;
  });
  console.log(`360p30 at 1.5 Mb/s to Chromium by WebRTC, ${seconds} s each, seed ${seed}:`);
  for (const [order, { delay, jitter }] of Object.entries(ORDERS)) {
    for (const loss of LOSSES) {
      const relay = await startRelay(Number(new URL(`http://${gateway.webrtc}`).port));
      relay.change({ loss: 0, delay, jitter: 0 }, seed);
      const { page, close } = await play(browser, gateway.http, relay.port);
      relay.change({ loss, delay, jitter }, seed);
      await new Promise((resolve) => { setTimeout(resolve, SETTLE * 1000); });
      const before = await count(page);
      await new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
      const after = await count(page);
      const took = (after.at - before.at) / 1000;
      const more = (/** @type {keyof typeof after} */ name) => Number(after[name]) - Number(before[name]);
      const percent = (/** @type {number} */ part) => `${(part * 100).toFixed(1)} %`;
      const { sent, lost } = relay.counts();
      console.log(`  ${percent(lost / sent)} lost, ${delay} ± ${jitter} ms, ${order}: ${percent(more('frozen') / took)} frozen (${more('freezes')} times), `
        + `${(more('shown') / took).toFixed(1)} shown, ${percent(more('again') / more('packets'))} again, ${(more('nacks') / took).toFixed(1)} NACKs/s, `
        + `${more('plis')} PLI, ${percent(more('concealed') / more('samples'))} concealed, by ${after.protocol}`);
      await close();
      relay.close();
    }
  }
} finally {
  await browser.close();
  await stop();
  await gateway.stop();
}
