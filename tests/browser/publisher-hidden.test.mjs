// A publisher in a hidden tab continues: people look at their chat while they publish.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMIT, startGateway, until } from './harness.mjs';
import { startRawBrowser } from './support/cdp.mjs';

for (const protocol of ['webrtc', 'ws-flv']) {
  test(`${protocol}: a hidden tab continues to publish, faster than its timers run`, LIMIT, async () => {
    const gateway = await startGateway();
    const browser = await startRawBrowser(['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream']);
    try {
      const tab = await browser.open(`${gateway.http}/players/rtc_publisher.html?stream=hidden`);
      await until('the element is there', () => tab.evaluate('!!customElements.get("srs-publisher")'));
      await tab.evaluate(`(async () => {
        window.publisher = document.querySelector('srs-publisher');
        publisher.protocol = ${JSON.stringify(protocol)};
        await publisher.start();
      })()`);
      const other = await browser.open('about:blank');
      await browser.show(other.target);
      await until('it is hidden', () => tab.evaluate('document.hidden'));
      const frames = async () => {
        const { streams } = await (await fetch(`${gateway.http}/api/v1/streams`)).json();
        return streams.find((stream) => stream.name === 'hidden')?.frames ?? 0;
      };
      const before = await frames();
      // A hidden page's timers run once a second.
      await until('a hundred pictures', async () => await frames() >= before + 100);
      assert.equal(await tab.evaluate('publisher.state'), 'live');
      assert.ok(await tab.evaluate('document.hidden'));
      await until('its rate', () => tab.evaluate('publisher.stats?.fps > 5'));
    } finally {
      await browser.close();
      await gateway.stop();
    }
  });
}
