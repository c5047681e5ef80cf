// The pages by HTTPS, with the certificate that the gateway makes for itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, startGateway, until } from './harness.mjs';

let browser;
let gateway;
before(async () => {
  gateway = await startGateway(['--demo']);
  // A person would press "Advanced" and "Proceed".
  browser = await launch(['--ignore-certificate-errors']);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

for (const [protocol, scheme, path] of [
  ['http-flv', 'https', 'livestream.flv'], ['ws-flv', 'wss', 'livestream.flv'], ['hls', 'https', 'livestream.m3u8'],
]) {
  test(`the player page plays ${scheme} ${path} by https`, async () => {
    const { page, errors, hosts, close } = await openPage(browser);
    const url = `${gateway.https.replace('https', scheme)}/live/${path}`;
    await page.goto(`${gateway.https}/players/srs_player.html?url=${url}&autoplay`);
    await until('the picture to move', () => page.evaluate(() => {
      const player = document.querySelector('srs-player');
      return player.currentTime > 0.3 && player.getVideoPlaybackQuality().totalVideoFrames > 5;
    }));
    // Camera and microphone are for such pages only.
    assert.ok(await page.evaluate(() => isSecureContext));
    const { clients } = await (await fetch(`${gateway.http}/api/v1/clients?secret=${gateway.secret}`)).json();
    const urls = clients.filter(({ type }) => type.includes(protocol.split('-').at(-1))).map(({ tcUrl }) => tcUrl);
    assert.ok(urls.includes(`${gateway.https.replace('https', scheme)}/live`), JSON.stringify(clients));
    assert.deepEqual(errors, []);
    assert.deepEqual(hosts, [new URL(gateway.https).host]);
    await close();
  });
}

test('a browser does not trust the certificate by default', async () => {
  const strict = await launch();
  const { page, close } = await openPage(strict);
  await assert.rejects(page.goto(gateway.https), /ERR_CERT_AUTHORITY_INVALID/);
  await close();
  await strict.close();
});
