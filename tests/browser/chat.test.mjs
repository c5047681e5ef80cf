// Chat, flying messages and the list of rooms, in Chromium with a real gateway.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { LIMIT, axe, launch, openPage, startGateway, until } from './harness.mjs';

const HOSTILE = { name: '<b>Bob</b>\u202E', text: '<img src=x onerror="window.bad = 1"><script>window.bad = 1</script> \u202Eexe.txt' };
/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Awaited<ReturnType<typeof member>>} */ let host;
/** @type {(() => unknown)[]} */
const endings = [];

before(async () => {
  gateway = await startGateway(['--demo']);
  browser = await launch();
}, LIMIT);
after(async () => {
  for (const end of endings.reverse()) await end();
  await browser?.close();
  await gateway?.stop();
});

/** Joins a room without a browser. @param {string} room @param {string} name @param {string} role */
async function member(room, name, role) {
  const socket = new WebSocket(`${gateway.http.replace('http', 'ws')}/api/v1/rooms/${room}`);
  /** @type {any[]} */
  const got = [];
  socket.on('message', (data) => got.push(...JSON.parse(String(data))));
  await new Promise((resolve, reject) => {
    socket.on('open', () => resolve(undefined));
    socket.on('error', reject);
  });
  const send = (/** @type {object} */ message) => socket.send(JSON.stringify(message));
  send({ type: 'join', version: 1, name, role });
  await until(`${name} to be in the room`, () => got.some(({ type }) => type === 'welcome'));
  endings.push(() => socket.close());
  return { got, send, close: () => socket.close(), last: (/** @type {string} */ type) => got.findLast((message) => message.type === type) };
}

/** Opens the audience's page of the room `show`. @param {import('playwright-core').BrowserContextOptions} [options] */
async function watch(options) {
  const opened = await openPage(browser, options);
  const { page } = opened;
  await page.goto(`${gateway.http}/rooms/show/watch`);
  const field = page.getByRole('textbox', { name: 'Write a message' });
  await until('the chat', () => page.evaluate(() => /** @type {any} */ (document.querySelector('srs-audience'))?.connection?.state === 'joined'));
  const write = async (/** @type {string} */ text) => {
    await field.fill(text);
    await field.press('Enter');
  };
  const lines = () => page.locator('.line').allInnerTexts();
  const line = (/** @type {string} */ text) => page.locator('.line', { hasText: text });
  return { ...opened, field, write, lines, line };
}

test('a room appears in the empty list by itself, with a cover frame', LIMIT, async () => {
  const { page, errors, close } = await openPage(browser);
  await page.goto(`${gateway.http}/rooms/`);
  await page.getByRole('heading', { name: 'No room is open' }).waitFor();
  assert.deepEqual(await axe(page), []);
  const anna = await member('club', 'Anna', 'host');
  const clip = new URL('../../demo/clip.flv', import.meta.url).pathname;
  const encoder = spawn('ffmpeg', ['-v', 'error', '-re', '-stream_loop', '-1', '-i', clip, '-c', 'copy', '-f', 'flv', `${gateway.rtmp}/club/camera`]);
  const ended = new Promise((resolve) => { encoder.on('exit', resolve); });
  try {
    const card = page.getByRole('link', { name: /club/ });
    await card.waitFor();
    assert.equal(await card.getAttribute('href'), `${gateway.http}/rooms/club`);
    // The video of the demo has many colours.
    await until('the cover', () => card.locator('canvas').evaluate((/** @type {HTMLCanvasElement} */ canvas) => {
      const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(0, 0, canvas.width, canvas.height);
      return !canvas.hidden && new Set(new Uint32Array(data.buffer)).size > 50;
    }));
    assert.deepEqual(await axe(page), []);
    // The session for the cover frame has ended, so there is no viewer.
    await until('no viewer', async () => (await (await fetch(`${gateway.http}/club/camera/viewers`)).json()).viewers === 0);
    const manifest = await page.evaluate(async () => {
      const response = await fetch(/** @type {HTMLLinkElement} */ (document.querySelector('link[rel=manifest]')).href);
      return [response.headers.get('content-type'), (await response.json()).display];
    });
    assert.deepEqual(manifest, ['application/manifest+json', 'standalone']);
    // iOS does not support SVG icons on its home screen.
    const icon = await page.evaluate(async () => {
      const image = new Image();
      image.src = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel=apple-touch-icon]')).href;
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    });
    assert.deepEqual(icon, [180, 180]);
  } finally {
    encoder.kill();
    await ended;
  }
  // The seat of an encoder is kept for 10 s, unless a host removes it.
  anna.send({ type: 'remove', id: 'camera' });
  await until('the seat to be free', () => anna.got.some(({ type, id }) => type === 'left' && id === 'camera'));
  anna.send({ type: 'leave' });
  await page.getByRole('heading', { name: 'No room is open' }).waitFor();
  assert.deepEqual(errors, []);
  await close();
});

test('two pages chat; hostile names and texts are text; a page that returns has the history', LIMIT, async () => {
  host = await member('show', 'Anna', 'host');
  const [mia, bob] = await Promise.all([watch(), watch()]);
  await mia.page.getByRole('textbox', { name: 'Your name' }).fill('Mia');
  await mia.write('Hello');
  await bob.line('Hello').waitFor();
  assert.deepEqual(await bob.lines(), ['Mia Hello']);
  await bob.page.getByRole('textbox', { name: 'Your name' }).fill(HOSTILE.name);
  await bob.write(HOSTILE.text);
  await mia.line('exe.txt').waitFor();
  const shown = (await mia.lines())[1] ?? '';
  assert.match(shown, /^<b>Bob<\/b> <img src=x onerror="window\.bad = 1"><script>window\.bad = 1<\/script> +exe\.txt$/);
  for (const { page } of [mia, bob]) {
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).bad), undefined);
    assert.equal(await page.locator('.line img, .line script, .line b').count(), 0);
  }
  // A host with a right-to-left name writes: the direction of each text is isolated from the text around it.
  host.send({ type: 'chat', text: 'שלום' });
  const isolated = mia.line('שלום').locator('.text');
  assert.deepEqual(await isolated.evaluate((node) => [getComputedStyle(node).unicodeBidi, getComputedStyle(node).direction]), ['isolate', 'rtl']);
  await mia.page.getByRole('button', { name: /^Like/ }).click();
  await bob.page.getByRole('button', { name: 'Like, 1 likes' }).waitFor();
  assert.deepEqual(await axe(mia.page), []);

  await mia.page.reload();
  await mia.line('שלום').waitFor();
  assert.equal((await mia.lines()).length, 3);
  // The name was stored too.
  await mia.write('Back again');
  await bob.line('Back again').waitFor();
  assert.equal((await bob.lines()).at(-1), 'Mia Back again');
  assert.deepEqual([mia.errors, bob.errors], [[], []]);
  await Promise.all([mia.close(), bob.close()]);
});

test('a host deletes, silences, closes the chat and removes', LIMIT, async () => {
  const ron = await watch();
  await ron.page.getByRole('textbox', { name: 'Your name' }).fill('Ron');
  await ron.write('spam');
  const { page, errors, close } = await openPage(browser);
  await page.goto(`${gateway.http}/rooms/`);
  await page.waitForFunction(() => customElements.get('srs-chat'));
  await page.evaluate(() => {
    const chat = document.createElement('srs-chat');
    for (const [name, value] of Object.entries({ room: 'show', as: 'host', name: 'Moderator' })) chat.setAttribute(name, value);
    document.querySelector('main').prepend(chat);
  });
  /** Runs an action for Ron's newest message with the keyboard. */
  const act = async (/** @type {string} */ name) => {
    await page.locator('.line', { hasText: 'Ron' }).last().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name }).press('Enter');
  };
  await page.getByText('spam').waitFor();
  await act('Delete message');
  await ron.line('spam').waitFor({ state: 'detached' });
  await ron.write('more');
  await page.getByText('more').waitFor();
  await act('Silence for 10 minutes');
  await ron.page.getByText('A host has silenced you').waitFor();
  await ron.write('what');
  // A refused message stays in the input.
  await until('the text to come back', async () => await ron.field.inputValue() === 'what');
  await page.getByRole('button', { name: 'Chat settings' }).click();
  assert.deepEqual(await axe(page), []);
  await page.getByLabel('Who may write').selectOption('hosts');
  await ron.page.getByText('Only hosts may write at the moment.').waitFor();
  assert.equal(await ron.field.isDisabled(), true);
  await page.getByLabel('Who may write').selectOption('all');
  await page.getByLabel('Slow mode').selectOption('30');
  await ron.page.getByPlaceholder('Slow mode: a message every 30 s.').waitFor();
  await page.getByLabel('Slow mode').selectOption('0');
  await act('Remove from the room');
  await page.getByRole('menuitem', { name: 'Remove Ron for good?' }).press('Enter');
  await ron.page.getByText('A host has removed you from this room.').waitFor();
  assert.deepEqual([errors, ron.errors], [[], []]);
  await Promise.all([ron.close(), close()]);
});

test('a viewer raises a hand, is invited to the stage, and is sent back', LIMIT, async () => {
  const { page, close } = await watch();
  await page.evaluate(() => {
    const seen = /** @type {any} */ (window).seen = [];
    document.addEventListener('stage', (event) => {
      event.preventDefault();
      seen.push(/** @type {CustomEvent} */ (event).detail);
    });
  });
  await page.getByRole('button', { name: 'Raise hand' }).click();
  await page.getByRole('button', { name: 'Lower hand', pressed: true }).waitFor();
  const { person } = await until('the hand', () => host.got.findLast((message) => message.type === 'person' && message.person.hand));
  host.send({ type: 'invite', id: person.id });
  await page.getByText('Anna invites you to the stage.').waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: 'Join the stage' }).click();
  const [staged] = await until('the seat', () => page.evaluate(() => /** @type {any} */ (window).seen.length && /** @type {any} */ (window).seen));
  assert.deepEqual([staged.role, staged.id, staged.room], ['guest', person.id, 'show']);
  assert.ok(staged.key);
  host.send({ type: 'demote', id: person.id });
  await page.getByText('You are back in the audience.').waitFor();
  await close();
});

test('messages fly over the video, but not for viewers who prefer reduced motion', LIMIT, async () => {
  const [moving, still] = await Promise.all([watch(), watch({ reducedMotion: 'reduce' })]);
  const flying = (/** @type {import('playwright-core').Page} */ page) => page.locator('.danmaku bdi').count();
  await until('the layer', () => moving.page.locator('.danmaku').count());
  host.send({ type: 'chat', text: 'whoosh' });
  await until('a flying message', () => flying(moving.page));
  await still.line('whoosh').waitFor();
  assert.equal(await flying(still.page), 0);
  // A thousand at once: 40 at most.
  const count = await moving.page.evaluate(() => {
    const chat = /** @type {any} */ (document.querySelector('srs-audience')).chat;
    for (let n = 0; n < 1000; n++) chat.dispatchEvent(new CustomEvent('message', { detail: { id: 'x', text: `message ${n}` } }));
    return /** @type {any} */ (document.querySelector('srs-audience')).player.shadowRoot.querySelector('.danmaku').shadowRoot.childElementCount;
  });
  assert.ok(count > 5 && count <= 40, `${count}`);
  await moving.page.getByRole('button', { name: 'Flying messages' }).click();
  assert.equal(await moving.page.locator('.danmaku').count(), 0);
  await Promise.all([moving.close(), still.close()]);

  const { page, errors, close } = await openPage(browser);
  await page.goto(`${gateway.http}/rooms/`);
  await page.evaluate(() => {
    const player = document.createElement('srs-player');
    for (const [name, value] of Object.entries({ url: '/live/livestream.flv', danmaku: 'show', autoplay: '', muted: '' })) player.setAttribute(name, value);
    document.querySelector('main').prepend(player);
  });
  await until('the layer', () => page.locator('.danmaku').count());
  await until('a message over the player', async () => {
    host.send({ type: 'chat', text: 'over the player' });
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
    return flying(page);
  });
  assert.deepEqual(errors, []);
  await close();
});
