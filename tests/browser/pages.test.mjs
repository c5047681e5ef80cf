// The pages, on a real gateway with its demo stream.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { axe, launch, openPage, startGateway, until } from './harness.mjs';

const VIEWS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};
let browser;
let gateway;
before(async () => {
  gateway = await startGateway(['--demo']);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function open(path, options) {
  const opened = await openPage(browser, options);
  await opened.page.goto(gateway.http + path);
  return opened;
}

const moving = (page) => until('the picture to move', () => page.evaluate(() => {
  const player = document.querySelector('srs-player');
  return player.currentTime > 0.3 && player.videoWidth === 854 && player.getVideoPlaybackQuality().totalVideoFrames > 5;
}));

for (const [name, view] of Object.entries(VIEWS)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`/ plays at once, and nothing is wrong with it: ${name}, ${colorScheme}`, async () => {
      const { page, errors, hosts, close } = await open('/', { ...view, colorScheme });
      await moving(page);
      await page.getByRole('link', { name: /live\/livestream/ }).first().waitFor();
      assert.deepEqual(await axe(page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
      assert.deepEqual(errors, []);
      assert.deepEqual(hosts, [new URL(gateway.http).host]);
      await close();
    });
  }
}

test('the example pages play, without messages in the console', async () => {
  for (const name of ['script', 'module']) {
    const { page, errors, hosts, close } = await open('/');
    await page.locator(`a[href="embed/${name}.html"]`).click();
    await until(`${name}: the picture to move`, () => page.evaluate(() => {
      const video = document.querySelector('srs-player')?.video ?? document.querySelector('video');
      return video?.currentTime > 0.3 && video.videoWidth === 854;
    }));
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(hosts, [new URL(gateway.http).host]);
    await close();
  }
  const { page, errors, close } = await open('/embed/beside.html');
  await page.getByText('Press “Go live” above.').waitFor();
  await page.getByRole('button', { name: 'Go live' }).waitFor();
  assert.deepEqual(await axe(page), []);
  // The answer is 404 while the stream is not live.
  assert.deepEqual(errors.filter((text) => !text.includes('404')), []);
  await close();
});

test('the copy buttons copy the text beside them', async () => {
  const { page, close } = await open('/', { permissions: ['clipboard-read', 'clipboard-write'] });
  const buttons = page.getByRole('button', { name: /^Copy: / });
  await until('the buttons', async () => (await buttons.count()) === 8);
  const port = new URL(gateway.rtmp.replace('rtmp', 'http')).port;
  const wanted = {
    'Copy: Server': `rtmp://127.0.0.1:${port}/live/`,
    'Copy: Stream key': 'livestream',
    'Copy: RTMP': `${gateway.rtmp}/live/livestream`,
    'Copy: WebRTC': `webrtc://${new URL(gateway.http).host}/live/livestream`,
    'Copy: HLS': `${gateway.http}/live/livestream.m3u8`,
    'Copy: Command': `ffmpeg -re -i clip.mp4 -c copy -f flv ${gateway.rtmp}/live/livestream`,
  };
  for (const [name, text] of Object.entries(wanted)) {
    // The confirmation disappears after a moment.
    const copied = page.getByRole('button', { name: 'Copied' }).waitFor();
    await page.getByRole('button', { name }).click();
    await copied;
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
    await page.getByRole('button', { name: 'Copied' }).waitFor({ state: 'detached' });
  }
  await close();
});

test('Chinese where the browser is', async () => {
  const { page, close } = await open('/', { locale: 'zh-CN' });
  await page.getByRole('heading', { name: '推送你自己的流' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
  const english = await page.evaluate(() => [...document.querySelectorAll('[data-t]')].filter((n) => !/[\u4e00-\u9fff]/.test(n.textContent)).map((n) => n.textContent));
  assert.deepEqual(english, []);
  await close();
});

test('the player page plays a pasted address, and its own address plays it again', async () => {
  const { page, errors, close } = await open('/players/srs_player.html');
  const field = page.getByRole('textbox', { name: 'Address of the stream' });
  await field.fill(`${gateway.http}/live/livestream.flv`);
  await field.press('Enter');
  await moving(page);
  await page.getByText('http-flv').first().waitFor();
  assert.deepEqual(await axe(page), []);
  const again = new URL(page.url());
  assert.equal(again.searchParams.get('url'), `${gateway.http}/live/livestream.flv`);
  await page.goto(again.href);
  await moving(page);
  await page.getByRole('button', { name: 'Stop' }).click();
  await until('the end', () => page.evaluate(() => document.querySelector('srs-player').state === 'idle'));
  assert.deepEqual(errors, []);
  await close();
});

test('SRS\'s query plays too', async () => {
  const { hostname, port } = new URL(gateway.http);
  const { page, close } = await open(`/players/srs_player.html?app=live&stream=livestream.flv&server=${hostname}&port=${port}&schema=http&autostart=true`);
  await moving(page);
  assert.equal(await page.getByRole('textbox').inputValue(), `${gateway.http}/live/livestream.flv`);
  await close();
});

test('a new stream appears in the lists and plays by a click', async () => {
  const { page, close } = await open('/players/srs_player.html');
  const clip = new URL('../../demo/clip.flv', import.meta.url).pathname;
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-re', '-stream_loop', '-1', '-i', clip, '-c', 'copy', '-f', 'flv', `${gateway.rtmp}/live/other`]);
  try {
    await page.getByRole('button', { name: 'live/other' }).click();
    await moving(page);
  } finally {
    ffmpeg.kill();
  }
  await close();
});

test('the page of a gateway with a secret asks for it', async () => {
  const guarded = await startGateway(['--secret', 'sesame']);
  // For the gateway, a page with another host name is not on its own machine.
  const { page, close } = await openPage(await launchAs('stream.example', guarded));
  await page.goto(guarded.http.replace('127.0.0.1', 'stream.example'));
  await page.getByText('This gateway wants a secret').waitFor();
  await close();
  await guarded.stop();
});

const others = [];
async function launchAs(name, { http }) {
  const other = await launch([`--host-resolver-rules=MAP ${name}:${new URL(http).port} 127.0.0.1:${new URL(http).port}`]);
  others.push(other);
  return other;
}
after(() => Promise.all(others.map((other) => other.close())));
