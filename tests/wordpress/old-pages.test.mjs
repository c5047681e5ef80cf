// Pages for srs-player, and addresses that WordPress would otherwise embed by itself.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { until } from '../browser/harness.mjs';
import { SECRET, onSites, player } from './support/site.mjs';

onSites('old pages', ['oldest', 'current'], {}, (site, scenario) => {
  /** @type {{ stop: () => Promise<void> }[]} */
  const publishers = [];
  before(async () => {
    for (const stream of ['live/livestream', 'live/stream-b']) publishers.push(site.ffmpeg(stream));
    for (const stream of ['live/livestream', 'live/stream-b']) await until('on air', () => site.onAir(stream));
  });
  after(() => Promise.all(publishers.map((one) => one.stop())));
  const host = () => new URL(site.http).host;

  scenario('every example of srs-player plays', async () => {
    const examples = [
      `[srs_player url="${site.http}/live/livestream.flv"]`,
      `[srs_player url="webrtc://${host()}/live/stream-b"]`,
      `[srs_player url="${site.http}/live/livestream.m3u8"]`,
      '[srs_player stream="live/stream-b"]',
      // HTML from the classic editor.
      `[srs_player src='${site.http}/live/livestream.flv?a=1&amp;b=2' controls autoplay muted width=320]`,
      `[video src="${site.http}/live/livestream.m3u8"]`,
    ];
    const url = await site.post(`${examples.join('\n\n')}\n\n[srs_publisher url="webrtc://${host()}/live/stream-a"]\n\nend`);
    const { page, complaints } = await site.as('visitor');
    await page.goto(url);
    assert.equal(await page.locator('srs-player').count(), examples.length);
    assert.equal(await page.locator('.wp-video, .mejs-container').count(), 0);
    await page.evaluate(() => document.querySelectorAll('srs-player').forEach((element, n) => { element.id = `player-${n}`; }));
    for (const n of examples.keys()) {
      // A player with `autoplay` starts when it is visible.
      await page.locator(`#player-${n}`).scrollIntoViewIfNeeded();
      if (!examples[n].includes('autoplay')) await page.locator(`#player-${n}`).getByRole('button', { name: 'Play', exact: true }).first().click();
      await player(page, `#player-${n}`).moves().catch((error) => { throw new Error(`${examples[n]}: ${error.message}`); });
      // Play only a few players at the same time on a small machine.
      await page.evaluate((id) => document.getElementById(id)?.remove(), `player-${n}`);
    }
    assert.deepEqual(complaints(), []);
  });

  scenario('an address on a line of its own is a player, in old posts and in blocks', async () => {
    const bare = `${site.http}/live/livestream.flv`;
    for (const content of [`Look:\n\n${bare}\n\nend`, `<!-- wp:embed {"url":"${bare}"} -->\n<figure class="wp-block-embed"><div class="wp-block-embed__wrapper">\n${bare}\n</div></figure>\n<!-- /wp:embed -->`]) {
      const { page } = await site.as('visitor');
      await page.goto(await site.post(content));
      await page.getByRole('button', { name: 'Play' }).click();
      await player(page).moves();
    }
    const { page } = await site.as('visitor');
    await page.goto(await site.post(`In a sentence ${bare} is none.`));
    assert.equal(await page.locator('srs-player').count(), 0);
  });

  scenario('a secret in an old post is not told', async () => {
    const url = await site.post(`[srs_publisher url="webrtc://${host()}/live/stream-a?secret=${SECRET}"]\n\n[srs_player url="${site.http}/live/livestream.flv?secret=${SECRET}"]`);
    for (const role of /** @type {const} */ (['visitor', 'author'])) {
      const { page } = await site.as(role);
      await page.goto(url);
      assert.equal(await page.locator('srs-player').count(), 1);
      assert.equal((await page.content()).includes(SECRET), false);
    }
  });
});
