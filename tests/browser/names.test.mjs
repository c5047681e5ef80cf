// Names with characters that have a meaning in a query: a stream plays at the address at which it is published, in every
// protocol, through a real gateway.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, startGateway, until } from './harness.mjs';

let gateway;
let browser;
before(async () => {
  gateway = await startGateway(['--reconnect', '3']);
  browser = await launch(['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream', '--mute-audio']);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** Opens a page of the gateway's origin with a publisher, and a player for each address. */
async function open(address, protocol, ...players) {
  const opened = await openPage(browser);
  // Use a real page of the gateway: Chromium forbids WebSockets to this machine from mocked pages.
  await opened.page.goto(`${gateway.http}/players/rtc_publisher.html`);
  await opened.page.waitForFunction(() => customElements.get('srs-publisher') && customElements.get('srs-player'));
  await opened.page.evaluate(([protocol, count]) => {
    document.body.innerHTML = `<srs-publisher width="320" height="240" protocol="${protocol}"></srs-publisher>${
      '<srs-player muted></srs-player>'.repeat(Number(count))}`;
  }, [protocol, players.length]);
  await opened.page.evaluate(([url, urls]) => {
    const publisher = document.querySelector('srs-publisher');
    publisher.url = url;
    publisher.publish().catch(() => {});
    for (const [n, player] of document.querySelectorAll('srs-player').entries()) player.url = urls[n];
  }, [address, players]);
  return opened;
}

const streams = async () => (await (await fetch(`${gateway.http}/api/v1/streams?count=100`)).json()).streams;

for (const [name, written, protocol] of [
  ['a+b', 'a+b', 'webrtc'],
  ['a&b', 'a&b', 'webrtc'],
  ['a=b;c,d', 'a=b;c,d', 'webrtc'],
  ['直播', '直播', 'webrtc'],
  ['c+d', 'c%2Bd', 'webrtc'],
  ['e+f&g', 'e+f&g', 'ws-flv'],
]) {
  test(`live/${name}, written ${written}, is published over ${protocol} and plays over WebRTC, FLV and HLS`, { timeout: 120_000 }, async () => {
    const { host } = new URL(gateway.http);
    const address = `webrtc://${host}/live/${written}`;
    const paths = [address, `/live/${written}.flv`, `ws://${host}/live/${written}.flv`, `/live/${written}.m3u8`];
    const { page, close } = await open(address, protocol, ...paths);
    try {
      await until('the publisher is live', async () => {
        const [state, why] = await page.evaluate(() => {
          const { state, error } = document.querySelector('srs-publisher');
          return [state, error?.message];
        });
        assert.notEqual(state, 'error', why);
        return state === 'live';
      }, 30_000);
      await until(`the gateway knows live/${name}`, async () => {
        const all = await streams();
        assert.deepEqual(all.filter(({ publish }) => publish.active).map((one) => `${one.app}/${one.name}`).filter((one) => one !== `live/${name}`), []);
        return all.find((one) => one.app === 'live' && one.name === name && one.video);
      });
      await page.evaluate(() => { for (const player of document.querySelectorAll('srs-player')) player.play().catch(() => {}); });
      for (const [n, path] of paths.entries()) {
        await until(`${path} plays`, async () => {
          const { state, error, time, stats } = await page.evaluate((n) => {
            const player = document.querySelectorAll('srs-player')[n];
            return { state: player.state, error: player.error, time: player.currentTime, stats: player.stats };
          }, n);
          assert.notEqual(state, 'error', `${path}: ${JSON.stringify(error)}`);
          // No other protocol may take over. The first figures may arrive after the first frame.
          if (n === 0 && stats?.protocol) assert.equal(stats.protocol, 'webrtc');
          return time > 0.5 && (n > 0 || stats?.protocol);
        }, 60_000);
      }
      await page.evaluate(() => document.querySelector('srs-publisher').stop());
    } finally {
      // The stream must have ended before the next name.
      await close();
    }
    await until('the name is free', async () => !(await streams()).some((one) => one.publish.active));
  });
}

test('the number of viewers is that of the stream with this name', { timeout: 60_000 }, async () => {
  const { host } = new URL(gateway.http);
  const address = `webrtc://${host}/live/h+i&j`;
  const { page, close } = await open(address, 'webrtc', address);
  await until('the publisher is live', () => page.evaluate(() => document.querySelector('srs-publisher').state === 'live'));
  const counts = await page.evaluate(async () => {
    const player = document.querySelector('srs-player');
    player.setAttribute('viewers', '');
    await player.play();
    return true;
  });
  assert.ok(counts);
  await until('one viewer is counted', async () => {
    const response = await fetch(`${gateway.http}/live/h%2Bi%26j/viewers`);
    return response.ok && (await response.json()).viewers === 1;
  });
  await close();
});
