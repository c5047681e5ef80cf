// A site whose streams are only for readers of the post.
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
      await player(page).moves();
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
    // The token is valid once.
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

  // Obstacles: a security plugin, a firewall that answers with a page, and a closed wp-admin folder.
  const closed = /** @type {const} */ ({
    'a plugin that closes the REST API': [401, 'application/json', '{"code":"rest_cannot_access","message":"Only authenticated users."}', /401 rest_cannot_access/],
    'a site without the route': [404, 'application/json', '{"code":"rest_no_route","message":"No route."}', /404 rest_no_route/],
    'a firewall’s page': [403, 'text/html', '<h1>Request blocked</h1>', /403/],
    'a firewall’s question': [200, 'text/html', '<h1>Are you human?</h1>', /200/],
    'a firewall that answers so for long': [503, 'text/html', '<h1>Checking your browser</h1>', /503/],
  });
  scenario('who stands between a reader and the site is named', async () => {
    const url = await site.post('[srs_player stream="live/a" protocol="flv"]');
    for (const [who, [status, contentType, body, said]] of Object.entries(closed)) {
      const { page } = await site.as('visitor');
      await page.route('**/lianmai/v1/token', (route) => route.fulfill({ status, contentType, body }));
      await page.goto(url);
      await page.getByRole('button', { name: 'Play' }).click();
      await until(`${who} is named`, async () => (await player(page).read()).state === 'error');
      const { why } = await player(page).read();
      assert.match(why, /^This site refused to say whether you may watch/, who);
      assert.match(why, said);
      await page.context().close();
      site.pages.delete(page);
    }
    // Editors of the site see advice.
    const { page } = await site.as('author');
    await page.route('**/lianmai/v1/token', (route) => route.fulfill({ status: 403, body: 'Blocked' }));
    await page.goto(url);
    await page.getByRole('button', { name: 'Play' }).click();
    await player(page).state('error');
    assert.match((await player(page).read()).why, /REST API .* let POST requests to http.*lianmai\/v1\//);
  });

  scenario('a reader watches although the folder of WordPress is closed, or the site stumbles once', async () => {
    const url = await site.post('[srs_player stream="live/a" protocol="flv"]');
    const { page } = await site.as('visitor');
    await page.route('**/wp-admin/**', (route) => route.fulfill({ status: 403, contentType: 'text/html', body: '<h1>Forbidden</h1>' }));
    let stumbles = 2;
    await page.route('**/lianmai/v1/token', (route) => (stumbles-- > 0 ? route.fulfill({ status: 503, body: 'Maintenance' }) : route.continue()));
    await page.goto(url);
    await page.getByRole('button', { name: 'Play' }).click();
    await player(page).moves();
  });

  scenario('an author sees why there is no publisher', async () => {
    const { page } = await site.as('author');
    await page.route('**/lianmai/v1/may', (route) => route.fulfill({ status: 403, contentType: 'text/html', body: 'Blocked' }));
    await page.goto(await site.post('[srs_publisher stream="live/p"]'));
    await page.getByText(/REST API .* let POST requests/).waitFor();
    assert.equal(await page.locator('srs-publisher').count(), 0);
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
