// The operator's console, on a real gateway with real publishers.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';
import { axe, launch, LIMIT, startGateway, until } from './harness.mjs';
import { startConsole } from './support/console.mjs';
import { startNats } from './support/nats.mjs';

const VIEWS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Awaited<ReturnType<typeof startConsole>>} */ let console_;
before(async () => {
  console_ = await startConsole();
  browser = await launch();
}, LIMIT);
after(async () => {
  await browser?.close();
  await console_?.stop();
});

/** Where keys are pressed until something has the focus. */
async function tabTo(page, name, role = 'button') {
  const target = page.getByRole(role, { name, exact: true }).first();
  await target.waitFor();
  for (let n = 0; n < 100; n += 1) {
    if (await target.evaluate((node) => node === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${name} cannot be reached by Tab`);
}

/** What the browser says besides refusals, which are part of the tests: nobody is logged in yet (401), or the gateway has no such list (404). */
const complaints = (errors) => errors.filter((text) => !/status of (400|401|404) /.test(text));
const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();

test('a link works once and leaves the address; a second use is refused in words', LIMIT, async () => {
  const { page, errors, hosts, close } = await console_.open(browser, console_.printed);
  await heading(page, 'Live');
  assert.equal(new URL(page.url()).hash, '');
  assert.deepEqual(await page.evaluate(() => document.cookie), '', 'scripts do not see the cookie');
  await page.reload();
  await heading(page, 'Live');
  assert.deepEqual(complaints(errors), []);
  assert.deepEqual(hosts, [new URL(console_.gateway.http).host]);

  const second = await console_.open(browser, console_.printed);
  await heading(second.page, 'Log in to the console');
  await second.page.getByRole('alert').getByText('the token was used already').waitFor();
  assert.deepEqual(await axe(second.page), []);
  const field = second.page.getByRole('textbox', { name: 'Link or token' });
  await field.fill('https://example.com/');
  await field.press('Enter');
  await second.page.getByText('That is not a link of the console').waitFor();
  await field.fill(console_.link());
  await field.press('Enter');
  await heading(second.page, 'Live');

  // The first browser ends the second one's login, which is told to log in again at once.
  await page.goto(`${console_.gateway.http}/console/#/keys`);
  const others = page.getByRole('button', { name: /^End the login of / });
  await others.first().waitFor();
  assert.equal(await others.count(), 1);
  await others.first().click();
  await heading(second.page, 'Log in to the console');
  await second.close();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByText('You are logged out.').waitFor();
  await page.reload();
  await heading(page, 'Log in to the console');
  await close();
});

test('a stream appears by itself; by keyboard alone it is looked at, stopped and kept out', LIMIT, async () => {
  const { page, errors, close } = await console_.open(browser, console_.link());
  await page.getByRole('heading', { name: 'Nobody is live' }).waitFor();
  const first = console_.ffmpeg('live/anna');
  await page.getByRole('heading', { name: 'live/anna' }).waitFor();
  await page.getByText(/854×480 · \d+ fps · .*H264 \+ AAC/).waitFor();
  const card = await page.getByRole('listitem').filter({ hasText: 'live/anna' }).elementHandle();

  await tabTo(page, 'Look in at live/anna');
  await page.keyboard.press('Enter');
  await until('the picture', () => page.evaluate(() => document.querySelector('srs-player')?.videoWidth === 854 && document.querySelector('srs-player').muted));
  await page.getByText('1 viewer: 1 WebSocket-FLV').waitFor();
  // A refresh leaves the card, the player and the focus where they are.
  assert.ok(await card.evaluate((node) => node.isConnected && node.contains(document.activeElement) && node.querySelector('srs-player') !== null));

  await tabTo(page, 'Addresses of live/anna');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Addresses of live/anna' });
  await dialog.getByText(`${console_.gateway.http}/live/anna.m3u8`).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await tabTo(page, 'Stop live/anna');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Stop live/anna?' }).waitFor();
  await tabTo(page, 'Stop');
  await page.keyboard.press('Enter');
  await first.ended;
  const again = console_.ffmpeg('live/anna');
  await again.ended;
  await tabTo(page, 'Server', 'link');
  await page.keyboard.press('Enter');
  await heading(page, 'Server');
  await page.getByText('live/anna: a publisher from 127.0.0.1 was refused').first().waitFor();
  await page.getByText('live/anna: an operator ended the publisher at 127.0.0.1, and keeps it out for 10 min').waitFor();
  await tabTo(page, 'Let 127.0.0.1 in again');
  await page.keyboard.press('Enter');
  await page.getByText('Nobody is kept out.').waitFor();
  const third = console_.ffmpeg('live/anna');
  await page.getByText('live/anna: a publisher connected over RTMP from 127.0.0.1').first().waitFor();
  third.stop();
  assert.deepEqual(complaints(errors), []);
  await close();
});

test('a viewer is ended from the view of the stream', LIMIT, async () => {
  const publisher = console_.ffmpeg('live/ben');
  const { page, close } = await console_.open(browser, console_.link());
  await page.getByRole('link', { name: 'live/ben' }).click();
  await heading(page, 'live/ben');
  await until('the picture', () => page.evaluate(() => document.querySelector('srs-player')?.videoWidth === 854));
  const response = await fetch(`${console_.gateway.http}/live/ben.flv`, { headers: { 'user-agent': 'patient' } });
  const row = page.getByRole('row').filter({ hasText: 'patient' });
  await row.getByRole('button', { name: /^End the connection/ }).click();
  await page.getByRole('button', { name: 'End', exact: true }).click();
  await row.waitFor({ state: 'detached' });
  // The gateway ends the connection: the body ends, or breaks off.
  await response.arrayBuffer().catch(() => null);
  await page.getByText('live/ben: an operator ended a viewer at 127.0.0.1').waitFor();
  publisher.stop();
  await page.getByRole('heading', { name: 'live/ben is not live' }).waitFor();
  await close();
});

test('a key is made, publishes, and is revoked; the publish secret is covered', LIMIT, async () => {
  const guarded = await startConsole(['--public', '--secret', 'sesame&open', '--play-secret', 'watch']);
  const { page, errors, close } = await guarded.open(browser, guarded.printed.replace('//HOST', '//127.0.0.1'), { ignoreHTTPSErrors: true });
  await heading(page, 'Live');
  await page.goto(page.url().replace(/#.*|$/, '#/keys'));
  await heading(page, 'Keys');
  await page.getByText('There are no keys.').waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill('<b onclick="x">Anna</b>');
  await page.getByRole('textbox', { name: 'Streams' }).fill('live');
  await page.getByRole('button', { name: 'Make a key' }).click();
  await page.getByRole('alert').getByText('APP/NAME').waitFor();
  await page.getByRole('textbox', { name: 'Streams' }).fill('live/anna');
  await page.getByRole('button', { name: 'Make a key' }).click();
  const key = await page.locator('.made code').first().textContent();
  assert.match(key, /^lk_/);
  await page.getByText(`anna?key=${key}`, { exact: true }).waitFor();
  assert.ok(!(await page.content()).includes('sesame'), 'the secret is covered');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByText('livestream?secret=sesame%26open').waitFor();

  const publisher = guarded.ffmpeg(`live/anna?key=${key}`);
  await page.getByRole('link', { name: 'Live', exact: true }).click();
  await page.getByText('<b onclick="x">Anna</b> · ').waitFor();
  // Playing is restricted, and the login plays.
  await page.getByRole('button', { name: 'Look in at live/anna' }).click();
  await until('the picture', () => page.evaluate(() => document.querySelector('srs-player')?.videoWidth === 854));
  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('button', { name: /^Revoke the key of/ }).click();
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByText('There are no keys.').waitFor();
  await publisher.ended;
  assert.deepEqual(complaints(errors), []);
  const cookie = (await page.context().cookies()).find(({ name }) => name.startsWith('lianmai-operator'));
  assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === 'Strict' && cookie.path === '/');
  await close();
  await guarded.stop();
});

test('what comes from outside is text', LIMIT, async () => {
  const evil = '<img src=x onerror="document.title=1">';
  const publisher = console_.ffmpeg('live/&lt;i&gt;', ['-rtmp_flashver', `${evil} 1.0`]);
  const { page, errors, close } = await console_.open(browser, console_.link(evil));
  await page.getByRole('heading', { name: 'live/&lt;i&gt;' }).waitFor();
  await page.getByText(evil).first().waitFor();
  await page.getByRole('link', { name: 'live/&lt;i&gt;' }).click();
  await heading(page, 'live/&lt;i&gt;');
  await page.getByText(`a publisher connected over RTMP from 127.0.0.1 (${evil} 1.0)`).waitFor();
  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('cell', { name: evil }).waitFor();
  await page.getByRole('link', { name: 'Server' }).click();
  await page.getByText(`${evil} logged in to the console from 127.0.0.1`).waitFor();
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  assert.deepEqual(complaints(errors), []);
  publisher.stop();
  await close();
});

test('an address that names no possible stream shows no addresses to copy', LIMIT, async () => {
  const { page, errors, close } = await console_.open(browser, console_.link());
  await heading(page, 'Live');
  for (const name of ['//other.example/live/x', '/other.example/x', 'live%2F%2Fother.example/x', "live/x';id;'", 'live/%E0%A4%A', 'live/%22x', 'x']) {
    await page.goto(`${console_.gateway.http}/console/#/stream/live/there`);
    await heading(page, 'live/there');
    await page.goto(`${console_.gateway.http}/console/#/stream/${name}`);
    await heading(page, 'Live');
    assert.ok(!(await page.content()).includes('other.example'), name);
  }
  assert.deepEqual(complaints(errors), []);
  await close();
});

test('a page of somebody else cannot use the login', LIMIT, async () => {
  const publisher = console_.ffmpeg('live/carl');
  const { page, close } = await console_.open(browser, console_.link());
  await page.getByRole('heading', { name: 'live/carl' }).waitFor();
  const { clients } = await console_.api('GET', '/api/v1/clients?count=100');
  const client = clients.find(({ publish }) => publish);
  // Another port of this host: the browser calls that the same site, and sends the cookie along.
  const seen = [];
  const foreign = createServer((request, response) => {
    seen.push(request.headers.cookie ?? '');
    response.setHeader('content-type', 'text/html');
    response.end('<title>foreign</title>');
  });
  await new Promise((done) => { foreign.listen(0, '127.0.0.1', () => done(null)); });
  await page.goto(`http://127.0.0.1:${foreign.address().port}/`);
  assert.match(seen[0], /lianmai-operator/, 'all ports of a host share its cookies');
  const tried = await page.evaluate(async ({ http, id }) => {
    const send = (path, options) => fetch(http + path, { credentials: 'include', ...options }).then(({ type, status }) => `${type} ${status}`, () => 'blocked');
    return [
      await send('/api/v1/keys', { method: 'POST', mode: 'no-cors', body: JSON.stringify({ name: 'evil', streams: '*' }) }),
      await send(`/api/v1/clients/${id}`, { method: 'DELETE' }),
      await send('/api/v1/clients', {}),
      await new Promise((done) => {
        const events = new EventSource(`${http}/api/v1/events`, { withCredentials: true });
        events.onerror = () => done('blocked');
        events.onopen = () => done('open');
      }),
    ];
  }, { http: console_.gateway.http, id: client.id });
  assert.deepEqual(tried.slice(1), ['blocked', 'blocked', 'blocked']);
  assert.deepEqual((await console_.api('GET', '/api/v1/keys')).keys, []);
  const after = await console_.api('GET', '/api/v1/clients?count=100');
  assert.ok(after.clients.some(({ id }) => id === client.id));
  // With a page of its own the same request is answered.
  const cookies = await page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const ask = (site) => fetch(`${console_.gateway.http}/api/v1/keys/1`, { method: 'DELETE', headers: { cookie, 'sec-fetch-site': site } });
  assert.deepEqual([(await ask('same-site')).status, (await ask('same-origin')).status], [403, 404]);
  foreign.close();
  publisher.stop();
  await close();
});

for (const [name, options] of Object.entries(VIEWS)) {
  for (const locale of ['en-US', 'zh-CN']) {
    test(`nothing is wrong with any view: ${name}, ${locale}`, LIMIT, async () => {
      const publisher = console_.ffmpeg('live/view');
      const { page, errors, close } = await console_.open(browser, console_.link(), { ...options, locale, colorScheme: name === 'phone' ? 'dark' : 'light' });
      await page.getByRole('heading', { name: 'live/view' }).waitFor();
      for (const view of ['live', 'stream/live/view', 'recordings', 'keys', 'server']) {
        await page.evaluate((hash) => { location.hash = hash; }, `#/${view}`);
        await page.locator(`main h1`).waitFor();
        if (view.startsWith('stream')) await page.getByRole('row').filter({ hasText: '127.0.0.1' }).first().waitFor();
        if (view === 'server') await page.locator('.events li').first().waitFor();
        if (view === 'keys') await page.getByRole('row').nth(1).waitFor();
        assert.deepEqual(await axe(page), [], view);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view}: no sideways scrolling`);
      }
      await page.evaluate(() => { location.hash = '#/live'; });
      await page.locator('.stream .buttons button').nth(1).click();
      await page.getByRole('dialog').waitFor();
      assert.deepEqual(await axe(page), [], 'dialog');
      // What this gateway does not have is a 404, and said in words.
      assert.deepEqual(complaints(errors), []);
      publisher.stop();
      await close();
    });
  }
}

test('two hundred streams are listed and filtered', LIMIT, async () => {
  const many = await startConsole();
  many.publishMany(200);
  const { page, close } = await many.open(browser, many.link());
  await page.getByText('200 streams · no viewers').waitFor();
  assert.equal(await page.locator('.stream').count(), 200);
  const filter = page.getByRole('searchbox', { name: 'Filter by name' });
  await filter.fill('s19');
  await until('ten cards', async () => (await page.locator('.stream').count()) === 10);
  await filter.fill('no such');
  await page.getByText('No stream has such a name.').waitFor();
  await close();
  await many.stop();
});

test('a gateway that ends is noticed', LIMIT, async () => {
  const one = await startConsole();
  const { page, close } = await one.open(browser, one.link());
  await heading(page, 'Live');
  await one.stop();
  await page.getByText('The gateway does not answer. Trying again…').waitFor();
  await close();
});

test('a new publish secret replaces the old one, after a question', LIMIT, async () => {
  const guarded = await startConsole(['--public']);
  const { page, errors, close } = await guarded.open(browser, guarded.printed.replace('//HOST', '//127.0.0.1'), { ignoreHTTPSErrors: true });
  await heading(page, 'Live');
  await page.goto(page.url().replace(/#.*|$/, '#/keys'));
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  const shown = page.locator('section').filter({ hasText: 'The publish secret' }).locator('code').first();
  const old = await shown.textContent();
  const publisher = guarded.ffmpeg(`live/on?secret=${old}`);
  await until('the publisher', async () => (await guarded.api('GET', '/api/v1/streams')).streams.length === 1);
  await tabTo(page, 'New secret…');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Make a new publish secret?' });
  await dialog.getByText('Encoders with the old one are refused from now on.').waitFor();
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await shown.textContent(), old, 'Escape changes nothing');
  await page.keyboard.press('Enter');
  await tabTo(page, 'Make a new secret');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await until('the new secret', async () => await shown.textContent() !== old);
  const refused = guarded.ffmpeg(`live/late?secret=${old}`);
  await refused.ended;
  const late = guarded.ffmpeg(`live/late?secret=${await shown.textContent()}`);
  await until('both publishers', async () => (await guarded.api('GET', '/api/v1/streams')).streams.length === 2);
  for (const one of [publisher, late]) one.stop();
  assert.deepEqual(complaints(errors), []);
  await close();
  await guarded.stop();
});

test('trusted sites, warnings with their cure, a tested hook, and settings to reload', LIMIT, async () => {
  const bodies = [];
  const backend = createServer((request, response) => {
    request.on('data', (part) => bodies.push(JSON.parse(part)));
    request.on('end', () => response.end('{"code":0}'));
  });
  await new Promise((done) => { backend.listen(0, '127.0.0.1', () => done(null)); });
  const hook = `http://127.0.0.1:${backend.address().port}/hooks`;
  const one = await startConsole(['--hook', hook, '--auth-jwks', 'http://127.0.0.1:9/jwks']);
  const { page, errors, close } = await one.open(browser, one.link());
  await heading(page, 'Live');
  await page.evaluate(() => { location.hash = '#/keys'; });
  const site = page.getByRole('row').filter({ hasText: 'http://127.0.0.1:9/jwks' });
  await site.getByText('publish, watch').waitFor();
  await site.getByText(/refused|connect/i).waitFor();
  await page.evaluate(() => { location.hash = '#/server'; });
  const warning = page.getByRole('listitem').filter({ hasText: 'token keys not loaded' });
  await warning.getByText('The gateway cannot reach the site in auth_jwks.').waitFor();
  await tabTo(page, `Test ${hook}`);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: hook });
  await dialog.getByText(/Answered with status 200/).waitFor();
  await dialog.getByText('"action": "on_test"').waitFor();
  await dialog.getByText('{"code":0}').waitFor();
  assert.deepEqual(await axe(page), []);
  assert.equal(bodies[0].action, 'on_test');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Reload the settings' }).click();
  await page.getByRole('dialog', { name: 'Reload the settings' }).getByText(/In force now|Nothing has changed|by a signal only/).waitFor();
  assert.deepEqual(complaints(errors), []);
  backend.close();
  await close();
  await one.stop();
});

test('the nodes of a cluster are listed, and one is drained and serves again', LIMIT, async () => {
  const nats = await startNats();
  const flags = ['--cluster', nats.url, '--cluster-secret', 'a secret of the test', '--node'];
  const one = await startConsole([...flags, 'first', '--region', 'eu']);
  const other = await startGateway([...flags, 'second']);
  const { page, errors, close } = await one.open(browser, one.link(), VIEWS.desktop);
  await heading(page, 'Live');
  await page.evaluate(() => { location.hash = '#/server'; });
  const nodes = page.getByRole('region', { name: 'Nodes of the cluster' });
  const row = (name) => nodes.getByRole('row').filter({ hasText: name });
  await row('first (this one)').getByRole('cell', { name: 'eu' }).waitFor();
  await row('second').getByRole('cell', { name: 'Serves' }).waitFor();
  await tabTo(page, 'Drain second');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Drain second' }).getByRole('button', { name: 'Drain', exact: true }).click();
  await row('second').getByRole('cell', { name: 'Is drained' }).waitFor();
  const ready = async () => (await fetch(`${other.http}/readyz`)).status;
  assert.equal(await ready(), 503);
  for (const size of Object.values(VIEWS)) {
    await page.setViewportSize(size.viewport);
    assert.deepEqual(await axe(page), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page does not scroll sideways');
    if (process.env.SCREENSHOTS) await nodes.screenshot({ path: `${process.env.SCREENSHOTS}/nodes-${size.viewport.width}.png` });
  }
  await nodes.getByRole('button', { name: 'Serve again with second' }).click();
  await row('second').getByRole('cell', { name: 'Serves' }).waitFor();
  assert.equal(await ready(), 200);
  await other.stop('SIGKILL');
  await row('second').getByRole('cell', { name: 'No answer' }).waitFor();
  assert.deepEqual(complaints(errors), []);
  await close();
  await one.stop();
  nats.stop();
});

test('a stream shows its recordings, and its pages as QR codes', LIMIT, async () => {
  const one = await startConsole(['--record', 'live/*', '--reconnect', '1']);
  const publisher = one.ffmpeg('live/taped');
  const { page, errors, close } = await one.open(browser, one.link());
  await page.getByRole('link', { name: 'live/taped' }).click();
  await heading(page, 'live/taped');
  const tape = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Recordings' }) });
  await tape.getByText('recording now').waitFor();
  const play = tape.getByRole('button', { name: /^Play live\/taped/ });
  await play.click();
  await until('the recording', () => tape.locator('srs-player').evaluate((node) => /** @type {any} */ (node).videoWidth === 854).catch(() => false));
  publisher.stop();
  await tape.getByRole('link', { name: /^Download live\/taped/ }).waitFor();
  await tabTo(page, 'QR code: Player’s page');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Player’s page' });
  await dialog.getByRole('img', { name: 'QR code: Player’s page' }).locator('svg path').nth(1).waitFor({ state: 'attached' });
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Escape');
  assert.deepEqual(complaints(errors), []);
  await close();
  await one.stop();
});

test('pictures of many streams are fetched two at a time, and all appear', LIMIT, async () => {
  const one = await startConsole();
  one.publishMany(12, 1000);
  const { page, close } = await one.open(browser, 'about:blank');
  let [open, most] = [0, 0];
  page.on('request', (request) => { if (/\.jpg\?at=/.test(request.url())) most = Math.max(most, open += 1); });
  for (const end of ['requestfinished', 'requestfailed']) page.on(/** @type {any} */ (end), (request) => { if (/\.jpg\?at=/.test(request.url())) open -= 1; });
  await page.setViewportSize({ width: 1280, height: 3000 });
  await page.goto(one.link());
  await until('twelve pictures', async () => (await page.locator('.screen img').count()) === 12);
  assert.ok(most > 0 && most <= 2, `${most} at once`);
  await close();
  await one.stop();
});

test('each cure belongs to a warning of the gateway', async () => {
  const source = new URL('../../gateway/src/', import.meta.url);
  const files = readdirSync(source, { recursive: true }).filter((name) => String(name).endsWith('.rs'));
  const text = files.map((name) => readFileSync(new URL(String(name), source), 'utf8')).join('\n').replace(/\\\n\s*/g, '');
  const cures = readFileSync(new URL('../../demo/pages/console/cures.js', import.meta.url), 'utf8');
  const begins = [...cures.matchAll(/^ {2}\['((?:[^'\\]|\\.)+)', /gm)].map(([, begin]) => begin.replaceAll("\\'", "'"));
  assert.ok(begins.length > 20);
  const shadowed = begins.filter((begin, at) => begins.slice(0, at).some((before) => begin.startsWith(before)));
  assert.deepEqual(shadowed, [], 'a shorter begin stands before a longer one');
  for (const begin of begins) assert.ok(text.includes(`"${begin}`), begin);
});

test('both languages have the same texts', async () => {
  const read = (name) => [...readFileSync(new URL(`../../demo/pages/console/${name}`, import.meta.url), 'utf8').matchAll(/^ {2}(\w+): '(.*)',$/gm)];
  const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  const [en, zh] = ['words.js', 'words-zh.js'].map((name) => new Map(read(name).map(([, key, text]) => [key, holes(text)])));
  assert.ok(en.size > 150);
  assert.deepEqual([...zh.keys()].sort(), [...en.keys()].sort());
  for (const [key, names] of en) assert.deepEqual(zh.get(key), names, key);
});

test('the first view is at most 40 kB on the wire', () => {
  const pages = new URL('../../demo/pages/', import.meta.url);
  const later = /^(stream|recordings|keys|secret|sites|server|nodes|hooks|warnings|cures|code|words-zh)\.js$/;
  const own = readdirSync(new URL('console/', pages)).filter((name) => !later.test(name)).map((name) => `console/${name}`);
  const files = [...own, 'assets/site.js', 'assets/words.js', 'assets/site.css', 'assets/icon.svg'];
  const sizes = files.map((file) => [file, brotliCompressSync(readFileSync(new URL(file, pages)), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length]);
  const sum = sizes.reduce((total, [, size]) => total + size, 0);
  console.log(`console, first view: ${sum} bytes`, Object.fromEntries(sizes));
  assert.ok(sum <= 40_000, `${sum} bytes`);
});
