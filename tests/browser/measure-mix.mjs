// The latency of a mix from glass to glass: node browser/measure-mix.mjs [seconds]
//
// Chromium publishes two hosts of 720p30 with audio by WHIP: a clock painted on a canvas, and its fake camera. The
// gateway mixes them. It prints the time from the clock to its picture at a viewer, over WHEP and over HTTP-FLV with
// latency="realtime", both with audio: 50th and 95th percentile; and the load of the machine in that time.

import { readFileSync } from 'node:fs';

import { startGateway } from './harness.mjs';
import { startBrowser } from './support/browser.mjs';
import { clockTools, part } from './support/clock.mjs';

const seconds = Number(process.argv[2] ?? 25);

const gateway = await startGateway(['--mix-quality', 'full']);
const browser = await startBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
try {
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  await page.goto(gateway.http);
  await page.evaluate(() => document.body.replaceChildren());
  await page.evaluate(clockTools);
  await page.evaluate(async (secret) => {
    const { publish, drawClock } = /** @type {any} */ (window);
    await publish(drawClock(true), '/live/clock/whip');
    const camera = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720, frameRate: 30 }, audio: true });
    await publish(camera, '/live/camera/whip');
    const regions = [0, 1].map((source) => ({ source, x: 640 * source, y: 0, w: 640, h: 360 }));
    const response = await fetch(`/api/v1/mixes${secret && `?secret=${secret}`}`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: ['live/clock', 'live/camera'], output: 'live/mix', names: false, border: false, layout: { regions } }),
    });
    if (response.status !== 201) throw new Error(await response.text());
  }, gateway.secret);
  /** @type {[string, string, number, number][]} */
  const ways = [['WHEP', 'whep', 150, 300], ['HTTP-FLV, realtime', 'flv', 350, 500]];
  for (const [name, way, reach50, reach95] of ways) {
    const { delays, sound } = await page.evaluate(async ([way, ms]) => {
      const { play, readClock } = /** @type {any} */ (window);
      const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true });
      document.body.replaceChildren(video);
      if (way === 'whep') {
        while (!video.srcObject) {
          try {
            video.srcObject = await play('/live/mix/whep');
          } catch { await new Promise((resolve) => { setTimeout(resolve, 100); }); }
        }
        const stream = /** @type {MediaStream} */ (video.srcObject);
        return { delays: await readClock(video, ms, 0.5), sound: stream.getAudioTracks().length > 0 };
      }
      const { Player } = await import(/** @type {any} */ ('/srs-player/player.js'));
      const player = new Player(video, { latency: 'realtime' });
      player.load('/live/mix.flv');
      await player.play();
      const delays = await readClock(video, ms, 0.5);
      const sound = /** @type {any} */ (video).webkitAudioDecodedByteCount > 0;
      player.destroy();
      return { delays, sound };
    }, /** @type {const} */ ([way, (seconds + 5) * 1000]));
    const [load] = readFileSync('/proc/loadavg', 'utf8').split(' ');
    console.log(`  host -> mix -> ${name}, glass to glass${sound ? ', with audio' : ', WITHOUT AUDIO'}: p50 ${part(delays, 0.5)} ms, `
      + `p95 ${part(delays, 0.95)} ms (${delays.length} pictures; reach: ${reach50}, ${reach95}; load ${load})`);
  }
} finally {
  await browser.close();
  await gateway.stop();
}
