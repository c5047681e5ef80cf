// Takes the picture of the demo page in docs/images: node browser/screenshot.mjs [FILE.webp]
//
// The picture shows a real gateway and its demo stream. Only the ports in it are those of `cargo xtask run`: the
// browser is told that port 8080 is the gateway's, so that no fixed port is taken.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { launch, startGateway, until } from './harness.mjs';

const file = process.argv[2] ?? new URL('../../docs/images/demo.webp', import.meta.url).pathname;
const LARGEST = 150_000;

const gateway = await startGateway(['--demo']);
const browser = await launch([`--host-resolver-rules=MAP 127.0.0.1:8080 ${new URL(gateway.http).host}`]);
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 680 }, deviceScaleFactor: 1.5, colorScheme: 'light', locale: 'en-US' });
  await page.route('**/api/v1/versions', async (route) => {
    const response = await route.fetch({ url: `${gateway.http}/api/v1/versions` });
    const { data, ...rest } = await response.json();
    await route.fulfill({ response, json: { ...rest, data: { ...data, rtmp_port: 1935 } } });
  });
  await page.goto('http://127.0.0.1:8080/');
  await until('the demo stream to play', () => page.evaluate(() => {
    const player = /** @type {any} */ (document.querySelector('srs-player'));
    return player?.state === 'live' && player.currentTime > 2;
  }));
  const session = await page.context().newCDPSession(page);
  for (const quality of [90, 80, 70, 60, 50]) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
    const picture = Buffer.from(data, 'base64');
    if (picture.length > LARGEST) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, picture);
    console.log(`${file}: ${picture.length} bytes at quality ${quality}`);
    break;
  }
} finally {
  await browser.close();
  await gateway.stop();
}
