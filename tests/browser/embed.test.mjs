// Other ways to embed: `new SrsPlayer(…).play()`, the module, and importing on a server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, openPage, startGateway, until } from './harness.mjs';
import { servePages } from './pages-server.mjs';

let browser;
let gateway;
let site;
before(async () => {
  gateway = await startGateway(['--demo']);
  // Another origin than the gateway, like pages that embed the player, with inline scripts.
  site = await servePages({}, '');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
  await gateway?.stop();
});

async function open(html) {
  const body = html.replaceAll('GATEWAY', gateway.http);
  site.extra['/embed'] = `<!doctype html><title>embed</title><link rel="icon" href="data:,">${body}`;
  const opened = await openPage(browser);
  await opened.page.goto(`${site.origin}/embed`);
  return opened;
}

const playing = (page, selector) => until('the picture to move', () => page.evaluate((name) => {
  const video = document.querySelector(name);
  return video && video.currentTime > 0.3 && video.getVideoPlaybackQuality().totalVideoFrames > 5;
}, selector));

test('new SrsPlayer(selector, url).play() right after the script tag, on a page of another host', async () => {
  const { page, errors, close } = await open(`<div id="box"></div><script src="GATEWAY/srs-player.js"></script>
    <script>var player = new SrsPlayer('#box', 'GATEWAY/live/livestream.flv', { muted: true }); player.play();</script>`);
  await playing(page, '#box srs-player');
  assert.deepEqual(errors, []);
  await page.evaluate(() => window.player.destroy());
  await until('the box to be empty again', async () => await page.locator('#box *').count() === 0);
  await close();
});

test('new SrsPlayer on the page\'s own <video> keeps the video', async () => {
  const { page, errors, close } = await open(`<video id="old" controls muted></video><script src="GATEWAY/srs-player.js"></script>
    <script>new SrsPlayer(document.getElementById('old'), 'GATEWAY/live/livestream.flv').play();</script>`);
  await playing(page, '#old');
  assert.deepEqual(errors, []);
  await close();
});

test('a second script tag, and an element before the script, work', async () => {
  const { page, errors, close } = await open(`<srs-player url="GATEWAY/live/livestream.flv" autoplay muted></srs-player>
    <script src="GATEWAY/srs-player.js"></script><script src="GATEWAY/srs-player.js"></script>`);
  await playing(page, 'srs-player');
  assert.deepEqual(errors, []);
  await close();
});

test('the module has the exports of its types', async () => {
  const { page, errors, close } = await open(`<video id="mine" muted></video><script type="module">
    import { Player, SrsPlayer, SrsPlayerElement } from 'GATEWAY/srs-player/index.js';
    window.player = new Player(document.getElementById('mine'));
    window.player.load('GATEWAY/live/livestream.flv');
    window.player.play();
    window.kinds = [SrsPlayer, SrsPlayerElement, customElements.get('srs-player') === SrsPlayerElement];
  </script>`);
  await playing(page, '#mine');
  assert.equal(await page.evaluate(() => window.kinds[2] && typeof window.kinds[0] === 'function'), true);
  assert.deepEqual(errors, []);
  await close();
});

test('importing on a server does not fail', () => {
  const module = new URL('../../player-wasm/dist/srs-player/index.js', import.meta.url).href;
  const names = execFileSync(process.execPath, ['--input-type=module', '--eval',
    `console.log(Object.keys(await import(${JSON.stringify(module)})).join())`], { encoding: 'utf8' });
  assert.equal(names.trim(), 'Player,SrsPlayer,SrsPlayerElement,SrsPublisher,SrsPublisherElement');
});

test('the npm package names files that exist', () => {
  const root = new URL('../../player-wasm/', import.meta.url);
  const { exports: entries, main, types } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  for (const file of [main, types, entries['.'].types, entries['.'].default, entries['./srs-player.js']]) {
    assert.ok(readFileSync(new URL(file, root)).length > 0, file);
  }
});
