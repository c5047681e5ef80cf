// The settings page and Site Health, for administrators.
import assert from 'node:assert/strict';
import { until } from '../browser/harness.mjs';
import { SECRET, axe, onSites } from './support/site.mjs';

const PAGE = '/wp-admin/options-general.php?page=lianmai';

onSites('the settings', ['oldest', 'current'], { settings: { server: '' } }, (site, scenario) => {
  scenario('are for administrators', async () => {
    for (const role of /** @type {const} */ (['visitor', 'author', 'editor'])) {
      const { request } = await site.as(role);
      const text = await (await request.get(site.url + PAGE)).text();
      assert.equal(text.includes('lianmai-server'), false, role);
    }
  });

  scenario('come first after activation, show what fits the server, and lead to a page', async () => {
    const { page, complaints } = await site.as('admin');
    await page.goto(`${site.url}/wp-admin/plugins.php`);
    await page.getByText('Lianmai is active, and needs the address').waitFor();
    await page.locator('#deactivate-lianmai').click();
    await page.locator('#activate-lianmai').click();
    await page.waitForURL(/page=lianmai/);
    await page.getByText('in three steps').waitFor();
    assert.equal(await page.getByText('Paste this into a post').count(), 0);
    // The page also works on a phone.
    await page.setViewportSize({ width: 390, height: 800 });
    const names = ['secret', 'api', 'play_tokens', 'everywhere'];
    const fields = async () => {
      const visible = await Promise.all(names.map((name) => page.locator(`[name="lianmai_settings[${name}]"]`).isVisible()));
      return names.filter((_, n) => visible[n]);
    };
    for (const [kind, shown] of /** @type {const} */ ([
      ['Lianmai: it trusts', ['play_tokens']], ['SRS or Oryx: one', ['secret', 'api']], ['Another one', []],
    ])) {
      await page.getByLabel(kind).check();
      assert.deepEqual(await fields(), shown, kind);
    }
    await page.locator('.lianmai-advanced summary').click();
    assert.deepEqual(await fields(), ['everywhere']);
    await page.getByLabel('Lianmai: it trusts').check();
    // The address of a stream, copied from a player.
    await page.getByLabel('Server address').fill(`${site.http}/live/livestream.flv`);
    await page.getByRole('button', { name: 'Save Changes' }).click();
    await page.getByText('Saved is the server’s part').waitFor();
    assert.equal(await page.getByLabel('Server address').inputValue(), site.http);
    await page.getByText('[srs_publisher stream="live/livestream"]').waitFor();
    assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than the phone');
    await page.locator('[data-copy=lianmai-player-line]').click();
    assert.equal(await page.evaluate('getSelection().toString()'), '[srs_player stream="live/livestream"]');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('link', { name: 'Begin a page with both' }).click();
    await page.waitForFunction(() => /** @type {any} */ (window).wp?.data?.select('core/block-editor')?.getBlocks().length === 2);
    assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).wp.data.select('core/block-editor').getBlocks().map(({ name, attributes }) => [name, attributes.stream])),
      [['lianmai/player', 'live/livestream'], ['lianmai/publisher', 'live/livestream']]);
    assert.deepEqual(complaints(), []);
    await site.set({ server: '' });
  });

  scenario('are entered, corrected and tried on the real server', async () => {
    const { page, complaints, hosts } = await site.as('admin');
    await page.goto(site.url + PAGE);
    assert.deepEqual(await axe(page, '.wrap'), []);
    const save = async (/** @type {string} */ server) => {
      await page.getByLabel('Server address').fill(server);
      await page.getByRole('button', { name: 'Save Changes' }).click();
      // WordPress removes the parameter from the address at once.
      await page.getByText(/Settings saved|The old one stays/).first().waitFor();
    };
    await save(`${site.http}/`);
    assert.equal(await page.getByLabel('Server address').inputValue(), site.http);
    await page.goto(site.url + PAGE);
    await save('javascript:alert(1)');
    assert.equal(await page.getByLabel('Server address').inputValue(), site.http, 'what is no address does not replace one');
    await page.getByText('The old one stays').waitFor();
    assert.ok((await page.locator('code').allTextContents()).some((text) => text.includes('--auth-jwks')));

    await page.getByRole('button', { name: 'Test connection' }).click();
    const result = page.locator('#lianmai-test-steps [data-step=result]');
    await result.waitFor();
    assert.equal(await result.getAttribute('data-state'), 'ok', String(await page.locator('#lianmai-test-steps').textContent()));
    assert.deepEqual(complaints(), []);
    assert.deepEqual(hosts.filter((host) => !host.startsWith('127.0.0.1:')), []);

    // The page reports a server that is down.
    const again = await site.kill();
    await page.getByRole('button', { name: 'Test connection' }).click();
    await until('the test fails', async () => await result.count() === 1 && await result.getAttribute('data-state') === 'failed');
    assert.match(String(await page.locator('#lianmai-test-steps').textContent()), /no answer|reach|Failed/);
    await again();
  });

  scenario('Site Health knows the server, and moves a secret out of the posts', async () => {
    await site.set({ server: site.http });
    const { port } = new URL(site.http);
    const url = await site.post(`[srs_publisher url="webrtc://127.0.0.1:${port}/live/a?secret=${SECRET}"]`);
    const { page } = await site.as('admin');
    await page.goto(`${site.url}/wp-admin/site-health.php`);
    for (const text of ['The media server answers', 'The media server trusts this site’s key', 'The web server names the player’s files right', 'Cameras work without HTTPS on this machine']) {
      await page.getByText(text).first().waitFor({ state: 'attached' });
    }
    const problem = page.locator('.health-check-accordion-trigger', { hasText: '1 post holds a stream’s secret' });
    await problem.waitFor();
    if (await problem.getAttribute('aria-expanded') !== 'true') await problem.click();
    await page.getByRole('link', { name: 'Move the secret to the settings' }).click();
    await page.getByText('The secret is in the settings').waitFor();
    assert.equal((await page.content()).includes(SECRET), false);
    const [content, secret] = await site.php(
      'return array( get_post( url_to_postid( $args ) )->post_content, Lianmai\\Settings::secret() );', url);
    assert.equal(content, `[srs_publisher url="webrtc://127.0.0.1:${port}/live/a"]`);
    assert.equal(secret, SECRET);
    await page.getByText('A secret is set. It is not shown').waitFor();
  });
});
