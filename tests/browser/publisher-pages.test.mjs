// Pages with a publisher: HTTPS, SrsPublisher, srs.sdk.js, types, Chinese, and a phone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, launch, openPage, startGateway, until } from './harness.mjs';
import { CAPTURE, embed, freed, gateway, known, look, onAir, open, PAGE } from './support/publisher.mjs';
import { promisedMembers } from './support/types.mjs';

test('the HTTP page links to its HTTPS address, where it publishes', async () => {
  const open = await startGateway(['--open', '--reconnect', '3']);
  const other = await launch([...CAPTURE, `--host-resolver-rules=MAP stream.example 127.0.0.1`]);
  try {
    const { page, close } = await openPage(other, { ignoreHTTPSErrors: true });
    await page.goto(`${open.http.replace('127.0.0.1', 'stream.example')}${PAGE}?stream=secure`);
    await page.getByText('Browsers give out camera and microphone only on HTTPS pages. Here it is:').waitFor();
    assert.equal(await page.locator('srs-publisher').getByRole('button', { name: 'Go live' }).count(), 0);
    const target = `${open.https.replace('127.0.0.1', 'stream.example')}${PAGE}?stream=secure`;
    await page.locator('srs-publisher').getByText(`Open ${target}`).waitFor();
    assert.deepEqual(await axe(page), []);
    const link = page.locator('srs-publisher').getByRole('link', { name: 'Open this page over HTTPS' });
    assert.equal(await link.getAttribute('href'), target);
    await link.click();
    await page.waitForURL(target);
    await page.getByRole('button', { name: 'Go live' }).click();
    await look(page).state('live');
    await until('the stream', async () => (await known('secure', open))?.publish.active);
    await until('WebRTC', () => look(page).read((p) => p.stats?.protocol === 'webrtc'));
    await close();
  } finally {
    await other.close();
    await open.stop();
  }
});

test('new SrsPublisher(…).publish() right after the script tag: in a box, and with the page\'s own video', async () => {
  for (const [name, html, preview] of [['box', '<div id="at"></div>', '#at srs-publisher'], ['video', '<video id="at"></video>', '#at']]) {
    const { page, errors, close } = await embed(`${html}<script>addEventListener('DOMContentLoaded', () => {
      window.publisher = new SrsPublisher('#at', 'webrtc://127.0.0.1/live/${name}', { width: 640, height: 360 });
      window.live = publisher.publish();
    });</script>`);
    await page.evaluate(() => window.live);
    await onAir(name);
    await until('the preview', () => page.evaluate((selector) => {
      const node = document.querySelector(selector);
      return (node.video ?? node).videoWidth > 0;
    }, preview));
    await page.evaluate(() => window.publisher.stop());
    await freed(name);
    await page.evaluate(() => window.publisher.destroy());
    await until('the page as before', async () => await page.locator('srs-publisher').count() === 0);
    assert.deepEqual(errors, []);
    await close();
  }
});

test('only pages that publish fetch the publisher', async () => {
  const { page, asked, close } = await embed('<srs-player></srs-player>');
  await page.waitForFunction(() => customElements.get('srs-player'));
  assert.deepEqual(asked.filter((path) => path.includes('publish')), []);
  await page.evaluate(() => { document.body.append(document.createElement('srs-publisher')); });
  await page.waitForFunction(() => document.querySelector('srs-publisher').state === 'idle');
  assert.ok(asked.includes('/srs-player/publisher.js'));
  await close();
});

for (const call of ['SrsRtcPublisherAsync', 'SrsRtcWhipWhepAsync']) {
  test(`pages of srs.sdk.js publish by ${call}`, async () => {
    const { page, errors, close } = await embed('<video muted autoplay></video>');
    const address = call === 'SrsRtcPublisherAsync' ? `webrtc://127.0.0.1/live/${call}` : `${gateway.http}/rtc/v1/whip/?app=live&stream=${call}`;
    const session = await page.evaluate(([name, url]) => {
      window.sdk = new window[name]();
      document.querySelector('video').srcObject = window.sdk.stream;
      return window.sdk.publish(url, { camera: true, audio: true });
    }, [call, address]);
    assert.match(session.sessionid, /^.+:.+$/);
    await onAir(call);
    await until('the preview', () => page.evaluate(() => document.querySelector('video').videoWidth > 0));
    await page.evaluate(() => window.sdk.close());
    await freed(call);
    assert.deepEqual(errors, []);
    await close();
  });
}

test('the element has every member of index.d.ts', async () => {
  const names = promisedMembers('SrsPublisher');
  assert.ok(names.includes('secureAddress') && names.includes('start') && names.includes('source') && names.length > 20, String(names));
  const { read, close } = await open('members');
  assert.deepEqual(await read((p, all) => all.filter((name) => !(name in p)), names), []);
  await close();
});

test('Chinese where the browser is', async () => {
  const { page, state, start, close } = await open('zh', { locale: 'zh-CN' });
  await page.getByRole('heading', { name: '在本页开始直播' }).waitFor();
  const english = await page.evaluate(() => [...document.querySelectorAll('[data-t]')].filter((n) => !/[\u4e00-\u9fff]/.test(n.textContent)).map((n) => n.textContent));
  assert.deepEqual(english, []);
  await page.getByText('点击按钮后才会打开摄像头和麦克风。').waitFor();
  await start();
  await state('live');
  await page.getByRole('button', { name: '停止' }).click();
  await page.getByText('直播已结束。').waitFor();
  await close();
});

test('the page on a phone in dark mode has no errors', async () => {
  const { page, close } = await open('phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' });
  await page.getByRole('button', { name: 'Go live' }).waitFor();
  assert.deepEqual(await axe(page), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
  await page.getByText(`webrtc://${new URL(gateway.http).host}/live/phone`, { exact: true }).waitFor();
  await close();
});
