// A site whose streams are only for those who may read the post.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { until } from '../browser/harness.mjs';
import { onSites, player } from './support/site.mjs';

onSites('playing with tokens', ['current'], { flags: ['--auth-play'], settings: { play_tokens: true } }, (site, scenario) => {
  /** @type {{ stop: () => Promise<void> }} */
  let publisher;
  before(async () => {
    publisher = site.ffmpeg('live/a');
    await until('on air', () => site.onAir('live/a'));
  });
  after(() => publisher?.stop());

  for (const protocol of ['webrtc', 'flv', 'ws-flv', 'hls']) {
    scenario(`a reader plays over ${protocol} what nobody can without the page`, async () => {
      const { page, complaints } = await site.as('visitor');
      await page.goto(await site.post(`[srs_player stream="live/a" protocol="${protocol}" autoplay="false"]`));
      await page.getByRole('button', { name: 'Play' }).click();
      await player(page).moves(30_000);
      assert.deepEqual(complaints(), []);
      const bare = await fetch(`${site.http}/live/a.flv`);
      await bare.body?.cancel();
      assert.ok([401, 403].includes(bare.status), String(bare.status));
    });
  }

  scenario('a ticket of a private post is worth nothing to those who may not read it', async () => {
    const url = await site.post('[srs_player stream="live/a"]', { post_status: 'private' });
    const author = await site.as('editor');
    const html = await (await author.request.get(url)).text();
    const ticket = /<srs-player[^>]* data-ticket="([^"]+)"/.exec(html)?.[1];
    assert.ok(ticket);
    const visitor = await site.as('visitor');
    assert.equal((await visitor.request.get(url)).status(), 404);
    const refused = await visitor.post('token', { ticket });
    assert.ok([401, 403].includes(refused.status) && !refused.token, JSON.stringify(refused));
    const given = await author.post('token', { ticket }, await author.nonce());
    assert.equal(given.status, 200);
    // It plays once.
    const flv = async () => {
      const answer = await fetch(`${site.http}/live/a.flv?token=${given.token}`);
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await flv(), 200);
    assert.ok([401, 403].includes(await flv()));
  });

  scenario('a reader of a post that has become private is told so, as a reader', async () => {
    const url = await site.post('[srs_player stream="live/a" autoplay="false"]');
    const { page } = await site.as('visitor');
    await page.goto(url);
    await site.php(`global $wpdb; $id = url_to_postid( $args ); $wpdb->update( $wpdb->posts, array( 'post_status' => 'private' ), array( 'ID' => $id ) );
      clean_post_cache( $id ); return $id;`, url);
    await page.getByRole('button', { name: 'Play' }).click();
    await player(page).state('error');
    assert.match((await player(page).read()).why, /^Log in to watch this/);
  });

  scenario('a post with a password plays for those who know it', async () => {
    const url = await site.post('[srs_player stream="live/a" autoplay="false"]', { post_password: 'open' });
    const { page } = await site.as('visitor');
    await page.goto(url);
    assert.equal(await page.locator('srs-player').count(), 0);
    await page.getByLabel(/Password/).fill('open');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Play' }).click();
    await player(page).moves();
  });
});
