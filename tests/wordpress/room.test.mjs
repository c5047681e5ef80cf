// A room on a page: its hosts, its chat, and its audience.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../browser/harness.mjs';
import { axe, onSites } from './support/site.mjs';

onSites('rooms', ['current'], { settings: { kind: 'lianmai', prefix: 'news' }, prefix: 'news' }, (site, scenario) => {
  const ROOM = 'news/friday-show';
  /** Returns the gateway's state of the room. */
  const listed = async () => {
    const { rooms } = await (await fetch(`${site.http}/api/v1/rooms`)).json();
    return rooms.find((/** @type {{ name: string }} */ { name }) => name === ROOM);
  };
  /** Joins as a host, and waits for the camera. @param {import('playwright-core').Page} page @param {string} url */
  const host = async (page, url) => {
    await page.goto(url);
    await page.getByRole('button', { name: 'Enter the room' }).click();
    await page.locator('srs-room').getByRole('button', { name: /^Join/ }).click();
    await until('an open room', listed);
  };
  /** Presses the button of the audience. @param {import('playwright-core').Page} page @param {string} url */
  const watch = async (page, url) => {
    await page.goto(url);
    await page.getByRole('button', { name: 'Watch live' }).waitFor();
    assert.deepEqual(await axe(page, '.lianmai-room'), []);
    await page.getByRole('button', { name: 'Watch live' }).click();
    await until('the room', async () => (await me(page))?.state === 'joined');
  };
  /** Returns the reader as a participant of the room. @param {import('playwright-core').Page} page */
  const me = (page) => page.evaluate(() => {
    const element = /** @type {any} */ (document.querySelector('srs-room') ?? document.querySelector('srs-audience')?.chat ?? document.querySelector('srs-chat'));
    return element?.me && { role: element.me.role, name: element.me.name, state: element.connection.state };
  });

  scenario('an author hosts, a subscriber writes under the own name and raises a hand, a visitor watches', async () => {
    const url = await site.post('[srs_room room="friday-show"]');
    const cached = await (await fetch(url)).text();
    await site.php("return wp_update_user( array( 'ID' => get_user_by( 'login', 'subscriber' )->ID, 'display_name' => 'Sue & Co.' ) );");

    const author = await site.as('author');
    await host(author.page, url);
    await author.page.getByText(`You are a host of the room ${ROOM}.`).waitFor();
    assert.deepEqual(await until('the host', () => me(author.page)), { role: 'host', name: 'author', state: 'joined' });
    assert.deepEqual((await listed()).hosts.map((/** @type {{ name: string }} */ { name }) => name), ['author']);

    const visitor = await site.as('visitor');
    await watch(visitor.page, url);
    await until('a visitor in the audience', async () => (await me(visitor.page))?.role === 'audience');
    assert.equal(await visitor.page.locator('srs-room').count(), 0);
    await until('pictures of the host', () => visitor.page.evaluate(() => /** @type {any} */ (document.querySelector('srs-audience')).player.video?.currentTime > 0));

    const reader = await site.as('subscriber');
    await watch(reader.page, url);
    assert.deepEqual(await until('the subscriber', async () => {
      const is = await me(reader.page);
      return is?.state === 'joined' && is;
    }), { role: 'audience', name: 'Sue & Co.', state: 'joined' });
    await reader.page.locator('srs-chat').getByRole('textbox').last().fill('Good evening');
    await reader.page.keyboard.press('Enter');
    await visitor.page.locator('srs-chat').getByText('Good evening').first().waitFor();
    await visitor.page.locator('srs-chat').getByText('Sue & Co.').first().waitFor();

    await reader.page.locator('srs-chat').getByRole('button', { name: 'Raise hand' }).click();
    await until('a raised hand', () => author.page.evaluate(() => {
      const { connection } = /** @type {any} */ (document.querySelector('srs-room'));
      return [...connection.people.values()].some(({ name, hand }) => name === 'Sue & Co.' && hand);
    }));
    // The host lets the subscriber in, who continues in the same page with the same seat.
    await author.page.evaluate(() => {
      const { connection } = /** @type {any} */ (document.querySelector('srs-room'));
      const { id } = [...connection.people.values()].find(({ hand }) => hand);
      connection.send({ type: 'promote', id, role: 'guest' });
    });
    await reader.page.locator('srs-room').getByRole('button', { name: /^Join/ }).click();
    await until('a guest', async () => (await me(reader.page))?.role === 'guest' && (await listed()).hosts.length === 2);
    assert.equal(reader.page.url(), url);

    // Guests without an account join on the gateway's own page.
    assert.equal(await author.page.evaluate(() => /** @type {any} */ (document.querySelector('srs-room')).page),
      `${site.http}/rooms/${encodeURIComponent(ROOM)}`);

    // A cached page from before the first host joined.
    const editor = await site.as('editor');
    writeFileSync(join(site.files, 'wp-content/cached.html'), cached);
    await site.plugin('cache.php', `<?php if ( '${new URL(url).pathname}' === $_SERVER['REQUEST_URI'] ) { readfile( WP_CONTENT_DIR . '/cached.html' ); exit; }`);
    try {
      await host(editor.page, url);
      assert.deepEqual(await until('the second host', async () => {
        const is = await me(editor.page);
        return is?.state === 'joined' && is;
      }), { role: 'host', name: 'editor', state: 'joined' });
    } finally {
      await site.plugin('cache.php', '');
    }
    // While people join and leave, the gateway refuses requests for ended streams.
    const complaints = [author, visitor, reader, editor].flatMap((one) => one.complaints());
    assert.deepEqual(complaints.filter((one) => !/^404 to DELETE /.test(one)), []);
    assert.doesNotMatch(cached, /nonce"?\s*[:=]\s*"?[0-9a-f]{10}\b/);
  });

  scenario('a kept page whose ticket is old gets the new one', async () => {
    const url = await site.post('[srs_room room="edited" roles="editor"]', { post_date: '2020-01-01 00:00:00' });
    const cached = await (await fetch(url)).text();
    await site.php(`return wp_update_post( array( 'ID' => url_to_postid( $args ), 'post_content' => 'More. [srs_room room="edited"]' ) );`, url);
    const { page } = await site.as('author');
    let first = true;
    await page.route(url, (route) => {
      if (!first) return route.continue();
      first = false;
      return route.fulfill({ body: cached, contentType: 'text/html; charset=utf-8' });
    });
    await page.goto(url);
    await page.getByRole('button', { name: 'Enter the room' }).waitFor();
  });

  scenario('a list shows the rooms of this site, and a chat stands alone', async () => {
    const url = await site.post('[srs_room room="friday-show"]');
    const author = await site.as('author');
    await host(author.page, url);
    const other = await site.post('[srs_rooms]\n\n[srs_chat room="friday-show"]');
    const { page, complaints } = await site.as('subscriber');
    await page.goto(other);
    await page.locator('srs-room-list').getByRole('link').first().waitFor();
    // Rooms of other sites on the same gateway are not listed.
    await page.evaluate(() => document.querySelector('srs-room-list')?.setAttribute('prefix', 'club/'));
    await until('no room', async () => await page.locator('srs-room-list').getByRole('link').count() === 0);
    assert.equal(await page.locator('srs-room-list form').isVisible(), false);
    // The list has loaded the module of the chat.
    await until('the chat', async () => (await me(page))?.role === 'audience');
    await page.locator('srs-chat').getByRole('textbox').last().fill('Hello');
    await page.keyboard.press('Enter');
    await page.locator('srs-chat').getByText('Hello').first().waitFor();
    assert.deepEqual(complaints(), []);
  });

  scenario('a host of this site is nobody in the rooms of another one', async () => {
    const token = await site.php("return Lianmai\\Token::mint_for_room( 1, 'club/x', 'host' );");
    const { page } = await site.as('visitor');
    const said = await page.evaluate(([address, token]) => new Promise((resolve, reject) => {
      const socket = new WebSocket(address);
      socket.onopen = () => socket.send(JSON.stringify({ type: 'join', version: 1, name: 'admin', token }));
      socket.onmessage = ({ data }) => { resolve(JSON.parse(String(data))[0]); socket.close(); };
      socket.onerror = reject;
    }), [`${site.http.replace('http', 'ws')}/api/v1/rooms/${encodeURIComponent('club/x')}`, token]);
    assert.deepEqual([said.type, said.code], ['error', 'forbidden']);
  });
});
