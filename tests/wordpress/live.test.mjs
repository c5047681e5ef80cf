// Streams that start, end and start again while a page is open.
import assert from 'node:assert/strict';
import { until } from '../browser/harness.mjs';
import { onSites, player } from './support/site.mjs';

onSites('an open page', ['current'], { flags: ['--demo'] }, (site, scenario) => {
  for (const protocol of ['webrtc', 'flv']) {
    scenario(`a stream that starts later plays by itself over ${protocol}`, async () => {
      const stream = `live/later-${protocol}`;
      const { page } = await site.as('visitor');
      await page.goto(await site.post(`[srs_player stream="${stream}" protocol="${protocol}" autoplay muted offline="Back at eight"]`));
      const { state, moves } = player(page);
      await state('waiting');
      await page.getByText('Back at eight').waitFor();
      const publisher = site.ffmpeg(stream);
      try {
        await moves();
      } finally {
        await publisher.stop();
      }
      await until('the end is seen', async () => (await player(page).read()).state !== 'live');
    });

    scenario(`a server that is started again has its picture back without a reload over ${protocol}`, async () => {
      const { page } = await site.as('visitor');
      await page.goto(await site.post(`[srs_player stream="live/livestream" protocol="${protocol}" autoplay="0"]`));
      await page.evaluate(() => Object.assign(window, { same: true }));
      await page.getByRole('button', { name: 'Play' }).click();
      const { state, moves } = player(page);
      await moves();
      const again = await site.kill();
      await until('the player sees it', async () => (await player(page).read()).state !== 'live');
      await again();
      const back = performance.now();
      await state('live');
      await moves();
      console.log(`picture back over ${protocol} ${Math.round(performance.now() - back)} ms after the server`);
      assert.equal(await page.evaluate('window.same'), true);
    });
  }
});
