// How long WebRTC takes: node browser/measure-rtc.mjs [publishes]
//
// It prints, for a gateway on loopback and Chromium's fake camera:
//   glass to glass       from a clock painted on a canvas, published by WHIP, to that clock in a WHEP viewer's
//                        picture: 50th and 95th percentile
//   WHIP to FLV          from the POST of an offer to the first picture and the first sound of HTTP-FLV, so many
//                        publishes in a row: 50th and 95th percentile, the worst, and how many within a second

import { startGateway } from './harness.mjs';
import { startBrowser } from './support/browser.mjs';
import { clockTools, part } from './support/clock.mjs';

const publishes = Number(process.argv[2] ?? 100);

/** In the page: a reader of FLV. */
function tools() {
  /** When the first picture and the first sound of an FLV stream have come. @param {string} url */
  const flv = async (url) => {
    const abort = new AbortController();
    const reader = /** @type {ReadableStream<Uint8Array>} */ ((await fetch(url, { signal: abort.signal })).body).getReader();
    let bytes = new Uint8Array(0), at = 13, picture = 0, sound = 0;
    while (!picture || !sound) {
      const { value, done } = await reader.read();
      if (done) break;
      const joined = new Uint8Array(bytes.length + value.length);
      joined.set(bytes); joined.set(value, bytes.length);
      bytes = joined;
      for (let size; bytes.length >= at + 11 && bytes.length >= at + 15 + (size = bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]); at += 15 + size) {
        // The second byte of classic tags: 0 is a sequence header, 1 is media.
        if (bytes[at + 12] !== 1) continue;
        if (bytes[at] === 9) picture ||= performance.now();
        if (bytes[at] === 8) sound ||= performance.now();
      }
    }
    abort.abort();
    return { picture, sound };
  };
  Object.assign(window, { flv });
}

const gateway = await startGateway();
const browser = await startBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
try {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(gateway.http);
  await page.evaluate(() => document.body.replaceChildren());
  await page.evaluate(clockTools);
  await page.evaluate(tools);

  const delays = await page.evaluate(async () => {
    const { publish, play, drawClock, readClock } = /** @type {any} */ (window);
    const { stop } = await publish(drawClock(false), '/live/clock/whip');
    const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true });
    document.body.append(video);
    for (;;) {
      try {
        video.srcObject = await play('/live/clock/whep');
        break;
      } catch { await new Promise((resolve) => { setTimeout(resolve, 100); }); }
    }
    const delays = await readClock(video, 25_000);
    await stop();
    return delays;
  });
  console.log(`WebRTC to WebRTC, glass to glass: p50 ${part(delays, 0.5)} ms, p95 ${part(delays, 0.95)} ms (${delays.length} pictures; target p50 <= 120)`);

  const starts = await page.evaluate(async (publishes) => {
    const { publish, flv } = /** @type {any} */ (window);
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 }, audio: true });
    /** @type {number[]} */
    const starts = [];
    for (let n = 0; n < publishes; n++) {
      const began = performance.now();
      const publishing = publish(stream, `/live/start-${n}/whip`);
      const { picture, sound } = await flv(`/live/start-${n}.flv`);
      starts.push(Math.max(picture, sound) - began);
      await (await publishing).stop();
    }
    return starts;
  }, publishes);
  const within = starts.filter((ms) => ms <= 1000).length;
  console.log(`WHIP to the first picture and sound over HTTP-FLV: p50 ${part(starts, 0.5)} ms, p95 ${part(starts, 0.95)} ms, `
    + `worst ${part(starts, 1)} ms, ${within} of ${publishes} within 1 s`);
} finally {
  await browser.close();
  await gateway.stop();
}
