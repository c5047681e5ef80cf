// The checklist for authors after a post with live video was published.
import assert from 'node:assert/strict';
import { until } from '../browser/harness.mjs';
import { SECRET, axe, onSites } from './support/site.mjs';

onSites('the checklist', ['oldest', 'current'], {}, (site, scenario) => {
  /** Returns the checks of a list, as a screen reader announces them. @param {import('playwright-core').Locator} list */
  const rows = async (list) => (await list.locator('.lianmai-checks li').allTextContents()).map((text) => text.trim());
  /** Waits until all checks are complete. @param {import('playwright-core').Locator} list */
  const done = (list) => until('the checklist', async () => await list.locator('.lianmai-checks').count() > 0
    && await list.locator('[data-state=running]').count() === 0, 60_000);

  /** Opens a new post in the block editor. @param {import('playwright-core').Page} page @param {string} content */
  async function write(page, content) {
    await page.goto(`${site.url}/wp-admin/post-new.php`);
    await page.waitForFunction(() => /** @type {any} */ (window).wp?.data?.select('core/editor')?.getCurrentPostId()
      && /** @type {any} */ (window).wp.blocks.getBlockType('lianmai/publisher'));
    await page.evaluate((text) => {
      const { blocks, data } = /** @type {any} */ (window).wp;
      data.dispatch('core/preferences').set('core/edit-post', 'welcomeGuide', false);
      data.dispatch('core/editor').editPost({ title: 'Live' });
      data.dispatch('core/block-editor').resetBlocks(blocks.parse(text));
    }, content);
    await page.keyboard.press('Escape');
  }
  /** @param {import('playwright-core').Page} page */
  async function publish(page) {
    await page.getByRole('button', { name: 'Publish', exact: true }).first().click();
    await page.getByRole('region', { name: /Publish|Editor publish/ }).getByRole('button', { name: 'Publish', exact: true }).click();
    await saved(page);
  }
  /** @param {import('playwright-core').Page} page */
  const saved = (page) => page.waitForFunction(() => /** @type {any} */ (window).wp.data.select('core/editor').isCurrentPostPublished()
    && !/** @type {any} */ (window).wp.data.select('core/editor').isSavingPost());
  /** Adds to the post and saves it. @param {import('playwright-core').Page} page @param {string} content */
  const update = (page, content) => page.evaluate(async (text) => {
    const { blocks, data } = /** @type {any} */ (window).wp;
    data.dispatch('core/block-editor').insertBlocks(blocks.parse(text));
    await data.dispatch('core/editor').savePost();
  }, content);

  scenario('stands in the panel after publishing, and knows when somebody is live', async () => {
    const { page, complaints } = await site.as('author');
    await write(page, '<!-- wp:lianmai/player {"stream":"live/check"} /-->\n\n<!-- wp:lianmai/publisher {"stream":"live/check"} /-->');
    await publish(page);
    const list = page.locator('.lianmai-checklist');
    await page.getByText('Is live video ready?').waitFor();
    await done(list);
    const found = await rows(list);
    for (const said of ['OK: The media server answers', 'OK: The media server trusts this site’s key', 'OK: Visitors can ask this site', 'OK: This browser reaches', 'Note: Nobody is live on live/check now']) {
      assert.ok(found.some((row) => row.startsWith(said)), `${said}: ${JSON.stringify(found)}`);
    }
    await list.getByText('Everything is ready.').waitFor();
    assert.deepEqual(await list.locator('code').allTextContents(), [`${site.rtmp.replace('127.0.0.1', new URL(site.http).hostname)}/live`, 'check']);
    assert.deepEqual(await axe(page, '.lianmai-checklist'), []);
    assert.equal((await page.content()).includes(SECRET), false);
    // An author cannot open the settings.
    assert.equal(await list.locator('a[href*="page=lianmai"]').count(), 0);
    const publisher = site.ffmpeg('live/check');
    try {
      await until('on air', () => site.onAir('live/check'));
      await list.getByRole('button', { name: 'Check again' }).click();
      await list.getByText('Somebody is live on live/check now').waitFor();
    } finally {
      await publisher.stop();
    }
    // The page has its link, and no part of the list.
    const url = await list.getByRole('link', { name: 'Watch the page as readers see it' }).getAttribute('href');
    assert.ok(url);
    const text = await (await fetch(url)).text();
    assert.match(text, /<srs-player/);
    assert.doesNotMatch(text, /checklist|lianmai-copy|lianmai-reach|wp-api-fetch/);
    await list.getByRole('button', { name: 'Do not show again for this post' }).click();
    await list.waitFor({ state: 'detached' });
    assert.deepEqual(complaints(), []);
  });

  scenario('is offered after an update that brought live video, once, and is there whenever it is wanted', async () => {
    const { page, complaints } = await site.as('editor');
    await write(page, '<!-- wp:paragraph --><p>Soon.</p><!-- /wp:paragraph -->');
    await publish(page);
    assert.equal(await page.locator('.lianmai-checklist').count(), 0);
    await page.getByRole('button', { name: 'Close panel' }).click();
    await update(page, '<!-- wp:lianmai/player {"stream":"live/check"} /-->');
    await page.getByText('This post has live video.').first().waitFor();
    await page.getByRole('button', { name: 'Check that it works' }).first().click();
    const dialog = page.getByRole('dialog');
    await done(dialog);
    assert.ok((await rows(dialog)).some((row) => row.startsWith('OK: This browser reaches')));
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.locator('.components-notice__dismiss').first().click();
    await update(page, '<!-- wp:paragraph --><p>More.</p><!-- /wp:paragraph -->');
    await saved(page);
    assert.equal(await page.getByText('This post has live video.').count(), 0);
    assert.deepEqual(complaints(), []);
  });

  scenario('names what is amiss, and leaves it to an administrator', async () => {
    await site.set({ server: 'http://127.0.0.1:9' });
    try {
      const { page } = await site.as('author');
      await write(page, '<!-- wp:shortcode -->[srs_publisher stream="live/check"] [srs_player stream="nonsense"]<!-- /wp:shortcode -->');
      await publish(page);
      const list = page.locator('.lianmai-checklist');
      await done(list);
      await list.getByText('Something is not ready yet:').waitFor();
      const found = await rows(list);
      for (const said of ['Failed: Lianmai: “nonsense” is not the name of a stream', 'Attention: This site cannot reach the media server An administrator can fix this', 'Failed: This browser does not reach http://127.0.0.1:9']) {
        assert.ok(found.some((row) => row.startsWith(said)), `${said}: ${JSON.stringify(found)}`);
      }
    } finally {
      await site.set({ server: site.http });
    }
  });
});

// A gateway with the settings for a site with a prefix.
onSites('a gateway of several sites', ['current'], { prefix: 'news', settings: { prefix: 'news' } }, (site, scenario) => {
  scenario('lets the site publish below its prefix, and nowhere else', async () => {
    const [state, label] = await site.php("$r = Lianmai\\SiteHealth::trust(); return array( $r['status'], $r['label'] );");
    assert.deepEqual([state, label], ['good', 'The media server trusts this site’s key']);
    const { page } = await site.as('author');
    for (const [stream, live] of /** @type {const} */ ([['news/studio', true], ['live/studio', false]])) {
      await page.goto(await site.post(`[srs_publisher stream="${stream}"]`));
      await page.getByRole('button', { name: 'Go live' }).click();
      if (live) await until('on air', () => site.onAir(stream), 30_000);
      else await page.waitForFunction(() => /** @type {any} */ (document.querySelector('srs-publisher')).state === 'error');
      await page.evaluate(() => /** @type {any} */ (document.querySelector('srs-publisher')).stop());
    }
  });
});
