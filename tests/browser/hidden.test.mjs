// A tab that was hidden for a while is live again when it is shown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { LIMIT, until } from './harness.mjs';
import { startRawBrowser } from './support/cdp.mjs';
import { clip } from './support/clips.mjs';
import { startServer } from './support/server.mjs';

for (const [name, options] of Object.entries({ 'with sound': {}, 'video only': { audio: null } })) {
  test(`hidden for 20 s, then shown: ${name}`, LIMIT, async () => {
    const server = await startServer();
    const browser = await startRawBrowser();
    try {
      const media = clip(options);
      const url = server.stream('tab', (c) => c.play(media));
      const tab = await browser.open(server.url);
      await until('the page is there', () => tab.evaluate('document.readyState === "complete" && !!document.querySelector("video")'));
      await tab.evaluate(`(async () => {
        const { Player } = await import('/srs-player/player.js');
        window.video = document.querySelector('video');
        window.player = new Player(video, { latency: 'realtime' });
        player.load(${JSON.stringify(url)});
        await player.play().catch(() => {});
      })()`);
      const look = () => tab.evaluate(`(() => {
        const { buffered, currentTime } = video;
        const last = buffered.length - 1;
        return { hidden: document.hidden, state: player.state, time: currentTime, decoded: video.getVideoPlaybackQuality().totalVideoFrames,
          lag: last < 0 ? Infinity : buffered.end(last) - currentTime, span: last < 0 ? 0 : buffered.end(last) - buffered.start(0) };
      })()`);
      await until('it plays', async () => (await look()).time > 2);
      const other = await browser.open('about:blank');
      await browser.show(other.target);
      await until('it is hidden', async () => (await look()).hidden);
      await sleep(20_000);
      assert.ok((await look()).span < 40, 'the buffer is bounded');
      await browser.show(tab.target);
      await until('it is shown', async () => !(await look()).hidden);
      const before = await look();
      // The player must seek: a higher rate would take minutes.
      await until('it is at most 0.5 s behind', async () => (await look()).lag <= 0.5, look);
      await until('it moves', async () => {
        const now = await look();
        return now.state === 'live' && now.time > before.time + 0.3 && now.decoded > before.decoded;
      }, look);
    } finally {
      await browser.close();
      await server.close();
    }
  });
}
