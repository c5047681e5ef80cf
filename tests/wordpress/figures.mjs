// Measures the figures of the plugin in the README: `node figures.mjs` after `cargo xtask dist`.

import { until } from '../browser/harness.mjs';
import { SECRET, player, startSite } from './support/site.mjs';

const ROUNDS = 5;
const site = await startSite({ flags: ['--demo'] });
try {
  /** Returns the bytes of the plugin that a page loads. @param {string} content */
  const bytes = async (content) => {
    const { page } = await site.as('visitor');
    /** @type {Promise<number>[]} */
    const files = [];
    page.on('response', (response) => {
      if (response.url().includes('/plugins/lianmai/')) files.push(response.body().then(({ length }) => length));
    });
    await page.goto(await site.post(content), { waitUntil: 'networkidle' });
    const inline = await page.evaluate(() => [...document.querySelectorAll('[id^=lianmai]:not([src]):not([href])')]
      .reduce((sum, { textContent }) => sum + (textContent?.length ?? 0), 0));
    await page.context().close();
    return (await Promise.all(files)).reduce((sum, one) => sum + one, inline);
  };
  console.log(`bytes on a page without a player: ${await bytes('A page.')}`);
  const both = '[srs_player stream="live/livestream" autoplay="false"]\n\n[srs_publisher stream="live/a"]';
  console.log(`bytes before play: ${await bytes(both)}`);

  let secrets = 0;
  const url = await site.post(`${both}\n\n[srs_player url="${site.http}/live/livestream.flv?secret=${SECRET}" autoplay="false"]`);
  for (const role of /** @type {const} */ (['visitor', 'author', 'admin'])) {
    const { request } = await site.as(role);
    secrets += (await (await request.get(url)).text()).split(SECRET).length - 1;
  }
  console.log(`secrets in page sources: ${secrets}`);

  for (const protocol of ['webrtc', 'flv', 'hls']) {
    const { page } = await site.as('visitor');
    await page.goto(await site.post(`[srs_player stream="live/livestream" protocol="${protocol}" autoplay="false"]`));
    await page.getByRole('button', { name: 'Play' }).click();
    const { moves, read } = player(page);
    await moves();
    const times = [];
    for (let round = 0; round < ROUNDS; round++) {
      const again = await site.kill();
      await until('the player sees it', async () => (await read()).state !== 'live');
      // An outage of the duration of a restart.
      await new Promise((resolve) => { setTimeout(resolve, 3000); });
      await again();
      const back = performance.now();
      await until('live', async () => (await read()).state === 'live');
      await moves();
      times.push(Math.round(performance.now() - back));
    }
    console.log(`picture back after a restart over ${protocol}: ${times.sort((a, b) => a - b).join(', ')} ms`);
    await page.context().close();
  }

  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { page } = await site.as('visitor');
    await page.goto(await site.post(`[srs_player stream="live/late-${round}" autoplay muted]`));
    const { state, moves } = player(page);
    await state('waiting');
    const publisher = site.ffmpeg(`live/late-${round}`);
    await until('on air', () => site.onAir(`live/late-${round}`));
    const begun = performance.now();
    await moves();
    times.push(Math.round(performance.now() - begun));
    await publisher.stop();
    await page.context().close();
  }
  console.log(`picture after a stream began on an open page: ${times.sort((a, b) => a - b).join(', ')} ms`);
} finally {
  await site.stop();
}
