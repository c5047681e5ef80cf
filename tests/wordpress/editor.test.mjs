// The blocks in the editor, and their output for readers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { until } from '../browser/harness.mjs';
import { onSites, player } from './support/site.mjs';

onSites('the block editor', ['oldest', 'current'], {}, (site, scenario) => {
  /** @type {{ stop: () => Promise<void> }} */
  let publisher;
  before(async () => {
    publisher = site.ffmpeg('live/a');
    await until('on air', () => site.onAir('live/a'));
  });
  after(() => publisher?.stop());

  /** Opens the editor with a new post. @param {string} [content] */
  async function edit(content) {
    const opened = await site.as('editor');
    const { page } = opened;
    const id = content === undefined ? 0 : await site.php('return wp_insert_post( wp_slash( $args ) );', { post_title: 'Old', post_content: content });
    await page.goto(`${site.url}/wp-admin/${id ? `post.php?post=${id}&action=edit` : 'post-new.php'}`);
    await page.waitForFunction(() => /** @type {any} */ (window).wp?.data?.select('core/editor')?.getCurrentPostId()
      && /** @type {any} */ (window).wp.blocks.getBlockType('lianmai/publisher'));
    // Close the welcome guide.
    await page.evaluate(() => /** @type {any} */ (window).wp.data.dispatch('core/preferences').set('core/edit-post', 'welcomeGuide', false));
    await page.keyboard.press('Escape');
    // Newer versions show the post in a frame.
    await page.locator('iframe[name=editor-canvas], .edit-post-visual-editor .block-editor-block-list__layout').first().waitFor();
    const framed = await page.locator('iframe[name=editor-canvas]').count() > 0;
    const canvas = framed ? page.frameLocator('iframe[name=editor-canvas]') : page.locator('.edit-post-visual-editor');
    const blocks = () => page.evaluate(() => /** @type {any} */ (window).wp.data.select('core/block-editor').getBlocks()
      .map(({ name, attributes }) => ({ name, attributes })));
    return { ...opened, canvas, blocks };
  }

  scenario('opens the post of the demo, and readers get its players', async () => {
    const content = readFileSync(new URL('../../demo/wordpress/post.html', import.meta.url), 'utf8');
    const { complaints, blocks } = await edit(content);
    assert.deepEqual((await blocks()).map(({ name }) => name).filter((name) => name !== 'core/paragraph'),
      ['lianmai/publisher', 'lianmai/player', 'core/shortcode']);
    assert.deepEqual(complaints(), []);
    const { page } = await site.as('visitor');
    await page.goto(await site.post(content));
    assert.deepEqual(await page.locator('srs-player').evaluateAll((all) => all.map((one) => one.getAttribute('title'))), ['From the studio', 'The guest']);
  });

  scenario('inserts both blocks, shows them, and readers get what was set', async () => {
    const { page, complaints, canvas, blocks } = await edit();
    await page.evaluate(() => /** @type {any} */ (window).wp.data.dispatch('core/editor').editPost({ title: 'Live' }));
    for (const title of ['Live player', 'Live publisher']) {
      await page.evaluate(() => /** @type {any} */ (window).wp.data.dispatch('core/block-editor').insertDefaultBlock());
      await canvas.locator('[data-type="core/paragraph"]').last().click();
      await page.keyboard.type(`/${title}`, { delay: 20 });
      await page.getByRole('option', { name: title }).click();
      const name = `lianmai/${title.split(' ')[1]}`;
      const block = canvas.locator(`[data-type="${name}"]`);
      await block.getByLabel('Stream').fill('live/a');
      await block.getByRole('button', { name: 'Done' }).click();
      await block.getByText(`live/a on ${site.http}`).waitFor();
      await until('the block', async () => (await blocks()).some((one) => one.name === name && one.attributes.stream === 'live/a'));
    }
    // The editor does not connect to a stream.
    assert.equal(await canvas.locator('srs-player, video').count(), 0);
    await canvas.locator('[data-type="lianmai/player"]').getByText('live/a on').click();
    const sidebar = page.getByRole('region', { name: 'Editor settings' });
    if (await sidebar.getByRole('button', { name: 'Playing' }).count() === 0) await page.evaluate(
      () => /** @type {any} */ (window).wp.data.dispatch('core/edit-post').openGeneralSidebar('edit-post/block'));
    await sidebar.getByRole('button', { name: 'Playing' }).click();
    await sidebar.getByLabel('Play at once').uncheck();
    await sidebar.getByRole('button', { name: 'Look' }).click();
    await sidebar.getByLabel('Title').fill('The [first] "show"');
    await canvas.getByText('The [first] "show"').waitFor();
    await page.getByRole('button', { name: 'Publish', exact: true }).first().click();
    await page.getByRole('region', { name: /Publish|Editor publish/ }).getByRole('button', { name: 'Publish', exact: true }).click();
    await page.waitForFunction(() => /** @type {any} */ (window).wp.data.select('core/editor').isCurrentPostPublished()
      && !/** @type {any} */ (window).wp.data.select('core/editor').isSavingPost());
    assert.deepEqual(complaints(), []);
    const url = await page.evaluate(() => /** @type {any} */ (window).wp.data.select('core/editor').getPermalink());
    const reader = await site.as('visitor');
    await reader.page.goto(url);
    await reader.page.getByRole('button', { name: 'Play: The [first] "show"' }).click();
    await player(reader.page).moves();
    assert.deepEqual(reader.complaints(), []);
    await page.goto(url);
    await page.getByRole('button', { name: 'Go live' }).waitFor();
  });

  scenario('takes shortcodes over, and opens what it saved without complaint', async () => {
    const old = `[srs_player url="${site.http}/live/a.flv?x=1&amp;y=2" autoplay="false" width="320"]`;
    const { page, complaints, canvas, blocks } = await edit(`<!-- wp:shortcode -->\n${old}\n<!-- /wp:shortcode -->`);
    await canvas.locator('[data-type="core/shortcode"]').waitFor();
    const offered = await page.evaluate(() => {
      const { blocks: registry, data } = /** @type {any} */ (window).wp;
      const [block] = data.select('core/block-editor').getBlocks();
      const names = registry.getPossibleBlockTransformations([block]).map(({ name }) => name);
      data.dispatch('core/block-editor').replaceBlocks(block.clientId, registry.switchToBlockType(block, 'lianmai/player'));
      return names;
    });
    assert.ok(offered.includes('lianmai/player') && !offered.includes('lianmai/publisher'), offered.join());
    const [made] = await blocks();
    assert.equal(made.name, 'lianmai/player');
    assert.deepEqual([made.attributes.url, made.attributes.autoplay, made.attributes.width], [`${site.http}/live/a.flv?x=1&y=2`, false, '320']);
    await canvas.locator('[data-type="lianmai/player"]').getByText(`${site.http}/live/a.flv`).waitFor();
    await page.evaluate(async () => {
      const editor = /** @type {any} */ (window).wp.data.dispatch('core/editor');
      editor.editPost({ status: 'publish' });
      await editor.savePost();
    });
    const url = await page.evaluate(() => /** @type {any} */ (window).wp.data.select('core/editor').getPermalink());
    await page.reload();
    await page.waitForFunction(() => /** @type {any} */ (window).wp?.data?.select('core/block-editor')?.getBlocks().length);
    const [again] = await page.evaluate(() => /** @type {any} */ (window).wp.data.select('core/block-editor').getBlocks().map(({ name, isValid }) => ({ name, isValid })));
    assert.deepEqual(again, { name: 'lianmai/player', isValid: true });
    assert.deepEqual(complaints(), []);
    const reader = await site.as('visitor');
    await reader.page.goto(url);
    await reader.page.getByRole('button', { name: 'Play' }).click();
    await player(reader.page).moves();
  });

  scenario('the classic editor inserts all by buttons, in the visual and in the text mode', async () => {
    await site.plugin('classic.php', "<?php add_filter( 'use_block_editor_for_post', '__return_false' );");
    try {
      const { page, complaints } = await site.as('author');
      page.on('dialog', (dialog) => dialog.accept('live/a'));
      await page.goto(`${site.url}/wp-admin/post-new.php`);
      const text = () => page.evaluate(() => {
        const { tinymce } = /** @type {any} */ (window);
        return tinymce?.get('content') && !tinymce.get('content').isHidden() ? tinymce.get('content').getContent()
          : /** @type {HTMLTextAreaElement} */ (document.getElementById('content')).value;
      });
      await page.locator('#content-html').click();
      await page.locator('.lianmai-insert[data-who=player]').click();
      await until('a player', async () => (await text()).includes('[srs_player stream="live/a"]'));
      await page.locator('#qt_content_lianmai_publisher').click();
      await until('a publisher', async () => (await text()).includes('[srs_publisher stream="live/a"]'));
      await page.locator('.lianmai-insert[data-who=room]').click();
      await until('a room', async () => (await text()).includes('[srs_room room="live/a"]'));
      await page.locator('#content-tmce').click();
      await page.waitForFunction(() => /** @type {any} */ (window).tinymce?.get('content')?.initialized);
      await page.locator('.mce-btn', { hasText: 'Live player' }).click();
      await until('another player', async () => (await text()).split('[srs_player stream="live/a"]').length === 3);
      assert.deepEqual(complaints(), []);
    } finally {
      await site.plugin('classic.php', '');
    }
  });
});
