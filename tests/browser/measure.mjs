// What a viewer sees and when: node browser/measure.mjs [seconds] [address of a stream]
//
// Without an address it serves a 1080p30 clip itself, over HTTP-FLV on loopback, joined 1.5 s into a GOP of
// 2 s. It prints, for a stream with sound and one without, at latency="realtime":
//   first picture   from load() to the first frame presented; cold, and in a page that has played before
//   presentation    from a frame's arrival in the page to its presentation: 50th, 95th and 99th percentile
//   stalls, drops   in that time

import { until } from './harness.mjs';
import { PlayerPage, startBrowser } from './support/browser.mjs';
import { clip } from './support/clips.mjs';
import { startServer } from './support/server.mjs';

const seconds = Number(process.argv[2] ?? 60);
const address = process.argv[3];

/** Plays an address for a while and answers what was seen. @param {PlayerPage} page @param {string} url */
async function measure(page, url) {
  await page.page.evaluate(async (url) => {
    const { Player } = await import('/srs-player/player.js');
    window.player?.destroy();
    const video = document.querySelector('video');
    const arrivals = [], shown = [];
    const player = new Player(video, { latency: 'realtime', trace: true });
    player.addEventListener('trace', ({ detail }) => arrivals.push([detail.time, detail.at]));
    const started = performance.now();
    let first = 0;
    const frame = (now, { mediaTime, presentationTime }) => {
      first ||= performance.now() - started;
      shown.push([mediaTime, performance.timeOrigin + presentationTime]);
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
    Object.assign(window, { player, video, log: [], arrivals, shown, first: () => first });
    player.load(url);
    player.play().catch(() => {});
  }, url);
  await until('a picture', () => page.page.evaluate(() => window.first()));
  return {
    first: await page.page.evaluate(() => window.first()),
    async steady() {
      // The first seconds find the target.
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const before = await page.look();
      await page.page.evaluate(() => { window.arrivals.length = window.shown.length = 0; });
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      const after = await page.look();
      const delays = await page.page.evaluate(() => {
        const { arrivals, shown } = window;
        return shown.flatMap(([time, at]) => {
          const found = arrivals.find(([pts]) => Math.abs(pts - time) < 0.002);
          return found ? [at - found[1]] : [];
        });
      });
      delays.sort((a, b) => a - b);
      const part = (p) => Math.round(delays[Math.min(delays.length - 1, Math.floor(delays.length * p))] ?? NaN);
      return {
        frames: delays.length, p50: part(0.5), p95: part(0.95), p99: part(0.99),
        stalls: after.stats.stalls - before.stats.stalls,
        drops: after.stats.dropped - before.stats.dropped,
        target: Math.round(after.stats.target * 1000), rate: after.stats.rate,
      };
    },
  };
}

const server = await startServer();
const browser = await startBrowser();
try {
  const kinds = address ? { 'the given address': null } : {
    'with sound': { size: '1920x1080' }, 'video only': { size: '1920x1080', audio: null },
  };
  for (const [name, options] of Object.entries(kinds)) {
    const media = options && clip(options);
    const url = address ?? server.stream(name.replace(' ', '-'), (c) => c.play(media));
    const page = await PlayerPage.open(browser, server.url);
    const cold = (await measure(page, url)).first;
    const warm = [];
    for (let n = 0; n < 5; n++) {
      // The player before must have come to rest: taking it down in the middle of its start costs time.
      await until('a second of pictures', () => page.page.evaluate(() => window.shown.length > 30));
      warm.push((await measure(page, url)).first);
    }
    const run = await measure(page, url);
    const { frames, p50, p95, p99, stalls, drops, target } = await run.steady();
    warm.sort((a, b) => a - b);
    console.log(`1080p30 ${name}:`);
    console.log(`  first picture   ${Math.round(cold)} ms cold, ${Math.round(warm[2])} ms (median of 5)`);
    console.log(`  presentation    p50 ${p50}, p95 ${p95}, p99 ${p99} ms after arrival (${frames} frames, target ${target} ms)`);
    console.log(`  in ${seconds} s         ${stalls} stalls, ${drops} frames dropped`);
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}
