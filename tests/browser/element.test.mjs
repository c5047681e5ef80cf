// The API of <srs-player>: attributes, keys, texts, insertion and removal. These tests play a file, which needs no wasm;
// the tests of the engine and the pages play live streams.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, launch, openPage, until } from './harness.mjs';
import { servePages } from './pages-server.mjs';
import { promisedMembers } from './support/types.mjs';

const html = (body) => `<!doctype html><html lang="en"><title>test</title><link rel="icon" href="data:,"><main>${body}</main><script src="/srs-player.js"></script>`;
let browser;
let site;

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lianmai-'));
  const clip = new URL('../../demo/clip.flv', import.meta.url).pathname;
  execFileSync('ffmpeg', ['-v', 'error', '-i', clip, '-c', 'copy', '-movflags', '+faststart', join(folder, 'clip.mp4')]);
  site = await servePages({ '/clip.mp4': readFileSync(join(folder, 'clip.mp4')) });
  rmSync(folder, { recursive: true });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Opens a page with this body, and waits until its first player is upgraded. */
async function open(body, options) {
  site.extra['/test'] = html(body);
  const opened = await openPage(browser, options);
  await opened.page.goto(`${site.origin}/test`);
  await opened.page.waitForFunction(() => customElements.get('srs-player'));
  const look = (read, argument) => opened.page.evaluate(
    ([source, value]) => new Function('player', 'value', `return (${source})(player, value)`)(document.querySelector('srs-player'), value),
    [String(read), argument],
  );
  return { ...opened, look, state: (name) => until(`state ${name}`, async () => (await look((p) => p.state)) === name) };
}

test('attributes are properties and properties are attributes', async () => {
  const { look, errors, close } = await open('<srs-player url="a.flv" controls width="320" poster="/assets/icon.svg" latency="realtime"></srs-player>');
  assert.deepEqual(await look((p) => [p.url, p.src, p.controls, p.autoplay, p.width, p.height, p.latency, p.retry, p.state, p.paused, p.muted]),
    ['a.flv', 'a.flv', true, false, 320, 0, 'realtime', '', 'idle', true, false]);
  assert.deepEqual(await look((p) => {
    Object.assign(p, { controls: false, height: 180, retry: 3, protocol: 'hls', muted: true, volume: 0.25, defaultMuted: true });
    return [p.getAttribute('controls'), p.getAttribute('height'), p.getAttribute('retry'), p.getAttribute('protocol'), p.video.muted, p.video.volume, p.hasAttribute('muted')];
  }), [null, '180', '3', 'hls', true, 0.25, true]);
  assert.equal(await look((p) => p.getBoundingClientRect().width), 320);
  assert.deepEqual(errors, []);
  await close();
});

test('the element has every member of index.d.ts', async () => {
  const types = readFileSync(new URL('../../player-wasm/js/types/index.d.ts', import.meta.url), 'utf8');
  const own = promisedMembers('SrsPlayer');
  const video = [...types.slice(types.indexOf('type OfVideo'), types.indexOf('>;', types.indexOf('type OfVideo'))).matchAll(/'(\w+)'/g)].map((m) => m[1]);
  assert.ok(own.includes('goLive') && own.includes('latency') && video.includes('currentTime'));
  const { look, close } = await open('<srs-player></srs-player>');
  assert.deepEqual(await look((p, names) => names.filter((name) => !(name in p)), [...own, ...video]), []);
  await close();
});

test('plays, pauses, and dispatches the events of a <video>', async () => {
  const { look, state, errors, hosts, close } = await open('<srs-player url="/clip.mp4" controls muted></srs-player>');
  await look((p) => {
    window.seen = [];
    for (const type of ['play', 'playing', 'pause', 'loadedmetadata', 'timeupdate', 'statechange']) {
      p.addEventListener(type, (event) => window.seen.push(type === 'statechange' ? event.detail.state : type));
    }
    return p.play();
  });
  await until('time to pass', () => look((p) => p.currentTime > 0.2));
  assert.deepEqual(await look((p) => [p.paused, p.readyState >= 2, p.videoWidth, p.state, p.getAttribute('state'), p.buffered.length > 0]),
    [false, true, 854, 'live', 'live', true]);
  await look((p) => p.pause());
  await state('paused');
  assert.equal(await look((p) => p.paused), true);
  const seen = await look(() => window.seen);
  for (const type of ['connecting', 'loadedmetadata', 'play', 'playing', 'live', 'timeupdate', 'pause', 'paused']) {
    assert.ok(seen.includes(type), `${type} in ${seen}`);
  }
  assert.ok((await look((p) => p.stats)).protocol === 'native');
  assert.deepEqual(errors, []);
  assert.deepEqual(hosts, [new URL(site.origin).host]);
  await close();
});

test('the engine is not loaded before playback, and a file needs no wasm', async () => {
  site.requests.length = 0;
  const { look, close } = await open('<srs-player url="/clip.mp4" controls></srs-player>');
  assert.ok(!site.requests.some((path) => /wasm|player\.js$/.test(path.replace('/srs-player.js', ''))), String(site.requests));
  await look((p) => { p.muted = true; return p.play(); });
  assert.ok(site.requests.includes('/srs-player/player.js'));
  assert.ok(!site.requests.some((path) => path.includes('wasm')), String(site.requests));
  await close();
});

test('the keyboard plays, mutes, changes the volume and opens the statistics', async () => {
  const { page, look, state, close } = await open('<srs-player url="/clip.mp4" controls></srs-player>');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await state('live');
  await page.locator('srs-player').locator('.stage').focus();
  await page.keyboard.press('Space');
  await state('paused');
  await page.keyboard.press('Space');
  await state('live');
  await page.keyboard.press('m');
  assert.equal(await look((p) => p.muted), true);
  await page.keyboard.press('m');
  assert.equal(await look((p) => p.muted), false);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.equal(await look((p) => p.volume), 0.9);
  await page.keyboard.press('s');
  await page.getByRole('group', { name: 'Statistics' }).waitFor();
  await page.keyboard.press('f');
  await until('full screen', () => look((p) => document.fullscreenElement === p));
  await page.keyboard.press('f');
  await until('no full screen', () => look(() => document.fullscreenElement === null));
  await close();
});

test('keys are the page\'s own without controls', async () => {
  const { page, look, close } = await open('<srs-player url="/clip.mp4" muted autoplay></srs-player>');
  await until('time to pass', () => look((p) => p.currentTime > 0));
  await page.locator('srs-player').locator('.stage').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('m');
  assert.deepEqual(await look((p) => [p.paused, p.muted]), [false, true]);
  await close();
});

test('the controls have accessible names, and axe finds no errors', async () => {
  const { page, state, close } = await open('<h1>Test</h1><srs-player url="/clip.mp4" controls muted autoplay></srs-player>');
  await state('live');
  for (const name of ['Pause', 'Unmute', 'Statistics', 'Full screen']) await page.getByRole('button', { name, exact: true }).waitFor();
  await page.getByRole('slider', { name: 'Volume' }).waitFor();
  assert.deepEqual(await axe(page), []);
  await close();
});

test('speaks Chinese where the browser does, and as `lang` says', async () => {
  const { page, look, close } = await open('<srs-player url="rtmp://example.org/live/x" controls autoplay></srs-player>', { locale: 'zh-CN' });
  await until('the refusal', () => look((p) => p.error));
  assert.match(await look((p) => p.error.message), /浏览器无法播放 rtmp:\/\/ 地址/);
  await page.getByRole('button', { name: '重试' }).waitFor();
  await look((p) => p.setAttribute('lang', 'en'));
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  await close();
});

test('an address that browsers cannot play ends in an error with a code and advice', async () => {
  const { look, page, close } = await open('<srs-player controls></srs-player>');
  const refusal = (url) => look((p, value) => new Promise((resolve) => {
    p.addEventListener('error', () => resolve([p.state, p.error.code, p.error.message]), { once: true });
    p.url = value;
    p.play().catch(() => {});
  }), url);
  const host = new URL(site.origin).hostname;
  assert.deepEqual(await refusal(`rtmp://${host}/live/x?token=1`), ['error', 'unsupported-protocol',
    `Browsers cannot play rtmp:// addresses. The same stream for a browser: ${site.origin}/live/x.flv?token=1`]);
  assert.match((await refusal('rtmp://example.org/live/x'))[2], /http:\/\/example\.org:8080\/live\/x\.flv/);
  assert.equal((await refusal('rtsp://example.org/x'))[1], 'unsupported-protocol');
  assert.equal((await refusal('http://'))[1], 'bad-url');
  assert.equal((await refusal('webrtc://example.org/live'))[1], 'bad-url');
  await page.getByRole('alert').filter({ hasText: 'not an address' }).waitFor();
  await close();
});

test('a new address plays at once; a removed player plays again after its insertion', async () => {
  const { look, state, close } = await open('<srs-player url="/clip.mp4" muted></srs-player>');
  await look((p) => p.play());
  await look((p) => { p.url = '/clip.mp4?again'; });
  await until('the new address', () => look((p) => p.currentSrc.endsWith('again') && p.currentTime > 0));
  await look((p) => { window.kept = p; p.remove(); });
  await until('silence', () => look(() => window.kept.paused && window.kept.currentSrc !== undefined && window.kept.stats === null));
  await look(() => document.querySelector('main').append(window.kept));
  await state('live');
  await until('time to pass', () => look((p) => p.currentTime > 0));
  await look((p) => { p.removeAttribute('url'); });
  await state('idle');
  assert.equal(await look((p) => p.stats), null);
  await close();
});

test('a player that is moved in the page continues', async () => {
  const { look, state, close } = await open('<srs-player url="/clip.mp4" muted autoplay></srs-player><div id="other"></div>');
  await state('live');
  await look((p) => { window.run = p.currentSrc; document.getElementById('other').append(p); });
  await until('time to pass', () => look((p) => !p.paused && p.currentTime > 0.5));
  await close();
});

test('two players on one page are independent', async () => {
  const { page, close } = await open('<srs-player id="a" url="/clip.mp4" muted autoplay controls></srs-player><srs-player id="b" url="/clip.mp4" controls></srs-player>');
  await until('a plays', () => page.evaluate(() => document.getElementById('a').currentTime > 0.2));
  assert.deepEqual(await page.evaluate(() => ['a', 'b'].map((id) => document.getElementById(id)).map((p) => [p.state, p.muted])), [['live', true], ['idle', false]]);
  await page.evaluate(() => { document.getElementById('b').volume = 0.5; return document.getElementById('b').play(); });
  await page.evaluate(() => document.getElementById('a').pause());
  assert.deepEqual(await page.evaluate(() => ['a', 'b'].map((id) => document.getElementById(id)).map((p) => [p.paused, p.volume])), [[true, 1], [false, 0.5]]);
  await close();
});

test('autoplay without a click plays muted, and a tap unmutes', async () => {
  const strict = await launch([], false);
  site.extra['/test'] = html('<srs-player url="/clip.mp4" autoplay controls></srs-player>');
  const { page } = await openPage(strict);
  // An evaluation in the page counts as a click, so the page must report first.
  await page.addInitScript(() => document.addEventListener('soundblocked', () => console.log('no sound'), true));
  const told = page.waitForEvent('console', (message) => message.text() === 'no sound');
  await page.goto(`${site.origin}/test`);
  await told;
  const look = (read) => page.evaluate(`(${read})(document.querySelector('srs-player'))`);
  await until('muted playing', () => look('(p) => p.state === "live" && p.muted && p.soundBlocked && p.currentTime > 0.2'));
  await page.getByRole('button', { name: 'Tap for sound' }).click();
  await until('sound', () => look('(p) => !p.muted && !p.paused && !p.soundBlocked'));
  assert.equal(await page.getByRole('button', { name: 'Tap for sound' }).count(), 0);
  await strict.close();
});
