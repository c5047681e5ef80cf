// What pages load, and when.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { until } from '../browser/harness.mjs';
import { onSites, player } from './support/site.mjs';

/** Before anything plays. */
const FEW = 15_000;

/** What a page gets from the plugin. @param {import('playwright-core').Page} page */
function loaded(page) {
  /** @type {Promise<{ path: string, bytes: number, status: number }>[]} */
  const all = [];
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (path.includes('/plugins/lianmai/')) {
      all.push(response.body().then((body) => ({ path, bytes: body.length, status: response.status() })));
    }
  });
  return async () => {
    const files = await Promise.all(all);
    assert.deepEqual(files.filter(({ status }) => status !== 200), []);
    const inline = await page.evaluate(() => [...document.querySelectorAll('[id^=lianmai]:not([src]):not([href])')].map(({ textContent }) => textContent).join(''));
    return { files: files.map(({ path }) => path), bytes: files.reduce((sum, { bytes }) => sum + bytes, inline.length) };
  };
}

const cases = /** @type {const} */ ([
  ['a host as it should be', ['oldest', 'current'], { wasmType: '' }],
  ['a host that does not know .wasm, and a folder', ['current'], { base: '/blog', wasmType: 'text/plain' }],
]);
for (const [what, versions, options] of cases) {
  onSites(what, [...versions], options, (site, scenario) => {
    /** @type {{ stop: () => Promise<void> }} */
    let publisher;
    before(async () => {
      publisher = site.ffmpeg('live/a');
      await until('on air', () => site.onAir('live/a'));
    });
    after(() => publisher?.stop());

    scenario('a page without a player loads nothing of ours', async () => {
      const url = await site.post('A video is spoken of, and srs_player in brackets is not here.');
      const { page } = await site.as('visitor');
      const count = loaded(page);
      await page.goto(url, { waitUntil: 'networkidle' });
      assert.deepEqual(await count(), { files: [], bytes: 0 });
      assert.equal((await page.content()).includes('lianmai'), false);
    });

    scenario('a page with players loads little before one plays, and modules only then', async () => {
      const url = await site.post('[srs_player stream="live/a" protocol="flv" autoplay="false"]\n\n[srs_player stream="live/a" title="The other" autoplay="false"]\n\n[srs_publisher stream="live/p"]');
      const { page, complaints } = await site.as('visitor');
      const count = loaded(page);
      await page.goto(url, { waitUntil: 'networkidle' });
      const before = await count();
      assert.deepEqual(before.files.filter((path) => !/assets\/view\.(js|css)$/.test(path)), []);
      assert.ok(before.files.length === 2 && before.bytes <= FEW, JSON.stringify(before));
      console.log(`before play: ${before.bytes} bytes in ${before.files.length} files`);
      await page.getByRole('button', { name: 'Play', exact: true }).first().click();
      await player(page).moves();
      const modules = (await count()).files.filter((path) => !before.files.includes(path));
      assert.ok(modules.some((path) => path.endsWith('.wasm')), JSON.stringify(modules));
      // Each name tells its content, and the publisher's are not there.
      for (const path of modules) assert.match(path, /\/lianmai\/build\/(?!publisher)[a-z_-]+\.[0-9a-f]{8}\.(js|wasm)$/);
      // Where a browser does not compile it as it comes, it is asked for again; by then it is in the cache.
      const twice = modules.filter((path, at) => modules.indexOf(path) !== at && !(options.wasmType && path.endsWith('.wasm')));
      assert.deepEqual(twice, []);
      assert.deepEqual(complaints(), []);
    });

    scenario('all that is built is a script or a module', async () => {
      const names = readdirSync(join(site.files, 'wp-content/plugins/lianmai/build'));
      assert.deepEqual(names.filter((name) => !/\.[0-9a-f]{8}\.(js|wasm)$/.test(name)), ['manifest.json']);
    });
  });
}
