// The engine against the gateway: HLS, HTTP-FLV and WebSocket-FLV of one stream, and a publisher's restart.

import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';

import { LIMIT, startGateway, until } from './harness.mjs';
import { PlayerPage, startBrowser } from './support/browser.mjs';

/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  // A short timeout, so that the publisher can be absent for longer.
  gateway = await startGateway(['--reconnect', '3']);
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** Publishes a test video and a tone until it is stopped. @param {string} name @param {string} size */
function publish(name, size = '640x360') {
  const child = spawn('ffmpeg', ['-v', 'error', '-re',
    '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '60',
    '-c:a', 'aac', '-f', 'flv', `${gateway.rtmp}/live/${name}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

for (const [protocol, address, behind] of [
  ['hls', (name) => `${gateway.http}/live/${name}.m3u8`, 6],
  ['http-flv', (name) => `${gateway.http}/live/${name}.flv`, 1],
  ['ws-flv', (name) => `${gateway.http.replace('http', 'ws')}/live/${name}.flv`, 1],
]) {
  test(`${protocol} plays before, through and after a publisher's restart`, LIMIT, async () => {
    // Use any page of the gateway's origin.
    const page = await PlayerPage.open(browser, `${gateway.http}/healthz`);
    await page.page.setContent('<video></video>');
    // A player without a stream waits, and starts by itself.
    await page.play(address(protocol), { latency: 'realtime' });
    await until('waiting', async () => (await page.look()).state === 'waiting', () => page.look());
    let stop = publish(protocol);
    try {
      await page.moves();
      await until('sound', async () => (await page.loudness()) > 0.02);
      await page.near(behind);
      await stop();
      stop = publish(protocol, '480x270');
      await until('the new picture', async () => (await page.look()).width === 480, () => page.look());
      await page.moves();
      await page.near(behind);
    } finally {
      await stop();
      await page.close();
    }
  });
}

for (const [protocol, ending] of [['hls', 'm3u8'], ['http-flv', 'flv']]) {
  test(`${protocol} plays again when a publisher returns after its stream ended`, LIMIT, async () => {
    const name = `late-${protocol}`;
    const page = await PlayerPage.open(browser, `${gateway.http}/healthz`);
    await page.page.setContent('<video></video>');
    let stop = publish(name);
    try {
      await page.play(`${gateway.http}/live/${name}.${ending}`, { latency: 'realtime' });
      await page.moves();
      await stop();
      const known = async () => {
        const { streams } = await (await fetch(`${gateway.http}/api/v1/streams?count=100`)).json();
        return streams.some((/** @type {any} */ stream) => stream.name === name);
      };
      await until('the end of the stream', async () => !await known());
      await until('the player to notice', async () => ['waiting', 'reconnecting'].includes((await page.look()).state), () => page.look());
      stop = publish(name, '480x270');
      await until('the new picture', async () => (await page.look()).width === 480, () => page.look());
      await page.moves();
    } finally {
      await stop();
      await page.close();
    }
  });
}
