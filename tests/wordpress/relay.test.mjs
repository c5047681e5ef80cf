// A server with one shared secret, which the site does not show.
import assert from 'node:assert/strict';
import { until } from '../browser/harness.mjs';
import { SECRET, onSites, player, ticket } from './support/site.mjs';

onSites('a server with a shared secret', ['oldest', 'current'], { jwks: false, flags: ['--public', '--candidate', '127.0.0.1'], settings: { kind: 'secret' } }, (site, scenario) => {
  scenario('is published to through the site, and nobody is told the secret', async () => {
    await site.php('Lianmai\\Settings::keep_secret( $args ); return true;', SECRET);
    const url = await site.post('[srs_publisher stream="live/a"]\n\n[srs_player stream="live/a" protocol="flv" autoplay="off"]');
    const { page, complaints } = await site.as('author');
    /** @type {Promise<string>[]} */
    const seen = [];
    page.on('response', (response) => {
      const headers = JSON.stringify(response.headers());
      seen.push(response.text().then((text) => `${response.url()}\n${headers}\n${text}`, () => response.url() + headers));
    });
    page.on('request', (request) => seen.push(Promise.resolve(request.url() + JSON.stringify(request.headers()))));
    await page.goto(url);
    await page.getByRole('button', { name: 'Go live' }).click();
    await until('on air', () => site.onAir('live/a'));
    const viewer = await site.as('visitor');
    await viewer.page.goto(url);
    await viewer.page.getByRole('button', { name: 'Play' }).click();
    await player(viewer.page).moves();
    const ended = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await page.evaluate(() => /** @type {any} */ (document.querySelector('srs-publisher')).stop());
    assert.equal((await ended).ok(), true);
    await until('off air', async () => !(await site.onAir('live/a')));
    const all = await Promise.all(seen);
    assert.ok(all.some((text) => text.includes('lianmai/v1/whip')), 'the offer went through the site');
    assert.deepEqual(all.filter((text) => text.includes(SECRET)), []);
    assert.deepEqual(complaints(), []);
  });

  scenario('the relay lets nobody through without a token', async () => {
    const url = await site.post('[srs_publisher stream="live/b"]');
    const html = await (await fetch(url)).text();
    const { post, nonce, request } = await site.as('author');
    const { token } = await post('token', { ticket: ticket(html) }, await nonce());
    const offer = (/** @type {string} */ query, data = 'v=0\r\n', type = 'application/sdp') => request.post(
      `${site.url}/wp-json/lianmai/v1/whip${query}`, { data, headers: { 'content-type': type } });
    assert.equal((await offer('')).status(), 401);
    assert.equal((await offer('?token=x.y.z')).status(), 401);
    assert.equal((await offer(`?token=${token}`, '{}', 'application/json')).status(), 415);
    assert.equal((await offer(`?token=${token}`, 'x'.repeat(100_000))).status(), 413);
    // An offer that the server refuses uses the token up. The error has the server's text without the secret.
    const refused = await offer(`?token=${token}`);
    assert.ok(refused.status() >= 400 && refused.status() < 600 && refused.status() !== 401, String(refused.status()));
    assert.equal((await refused.text()).includes(SECRET), false);
    assert.equal((await offer(`?token=${token}`)).status(), 401);
    for (const method of ['get', 'put', 'patch']) {
      assert.equal((await request[method](`${site.url}/wp-json/lianmai/v1/whip`)).status(), 405, method);
    }
    assert.equal((await request.delete(`${site.url}/wp-json/lianmai/v1/whip/${'0'.repeat(32)}`)).status(), 404);
  });
});
