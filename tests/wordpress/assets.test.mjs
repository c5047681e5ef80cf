// The files that pages load, and when they load them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../browser/harness.mjs';
import { onSites, player } from './support/site.mjs';

const run = promisify(execFile);
const ROOT = new URL('../../', import.meta.url).pathname;
const XTASK = process.env.XTASK || join(ROOT, 'target/debug/xtask');

/** Requests before playback. */
const FEW = 13_000;

/** Returns the requests of a page to the plugin. @param {import('playwright-core').Page} page */
function loaded(page) {
  /** @type {Promise<{ path: string, bytes: number, status: number }>[]} */
  const all = [];
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (path.includes('/plugins/lianmai/')) {
      const file = response.body().then((body) => ({ path, bytes: body.length, status: response.status() }));
      // A request that is pending when the page is closed does not count as a failure.
      file.catch(() => {});
      all.push(file);
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
      // Each name contains a hash of the content, and the files of the publisher are not loaded.
      for (const path of modules) assert.match(path, /\/lianmai\/build\/(element\.js|(?!publisher)[a-z_-]+\.[0-9a-f]{8}\.(js|wasm))$/);
      // A browser that cannot compile the wasm while it loads requests it again, from its cache.
      const twice = modules.filter((path, at) => modules.indexOf(path) !== at && !(options.wasmType && path.endsWith('.wasm')));
      assert.deepEqual(twice, []);
      assert.deepEqual(complaints(), []);
    });

    scenario('all that is built is a script or a module', async () => {
      const names = readdirSync(join(site.files, 'wp-content/plugins/lianmai/build'));
      assert.deepEqual(names.filter((name) => !/\.[0-9a-f]{8}\.(js|wasm)$/.test(name)), ['define-chat.js', 'define-room.js', 'element.js', 'manifest.json', 'publisher.js']);
    });

    /** Opens a page that inserts the content of another page, like themes with infinite scroll. @param {string} content */
    const openAndFetch = async (content) => {
      const url = await site.post(content);
      const opened = await site.as('visitor');
      const { page } = opened;
      const count = loaded(page);
      await page.goto(await site.post('No player is here.'), { waitUntil: 'networkidle' });
      return { ...opened, url, before: await count() };
    };
    /** Presses the first play button and checks that video plays. @param {import('playwright-core').Page} page */
    const plays = async (page) => {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click();
      await player(page).moves();
    };

    if (!options.wasmType) scenario('a player that jQuery puts into a page without one brings its script', async () => {
      const { page, url, before, complaints } = await openAndFetch('[srs_player stream="live/a" protocol="flv"]');
      assert.deepEqual(before, { files: [], bytes: 0 });
      await page.addScriptTag({ url: `${site.url}/wp-includes/js/jquery/jquery.min.js` });
      await page.evaluate(async (address) => {
        const { jQuery } = /** @type {any} */ (window);
        const html = await jQuery.get(address);
        jQuery('body').append(jQuery(jQuery.parseHTML(html, document, true)).find('.lianmai').first());
      }, url);
      await plays(page);
      assert.deepEqual(complaints(), []);
    });

    if (!options.wasmType) scenario('where the settings say so, any way of putting it in works', async () => {
      await site.set({ everywhere: true });
      try {
        const { page, url, before, complaints } = await openAndFetch('[srs_player stream="live/a" protocol="flv"]');
        assert.deepEqual(before.files.map((path) => path.replace(/.*\//, '')).sort(), ['view.css', 'view.js']);
        await page.evaluate(async (address) => {
          const text = await (await fetch(address)).text();
          const part = new DOMParser().parseFromString(text, 'text/html').querySelector('.lianmai');
          document.body.insertAdjacentHTML('beforeend', part?.outerHTML ?? '');
        }, url);
        await plays(page);
        assert.deepEqual(complaints(), []);
      } finally {
        await site.set({ everywhere: false });
      }
    });

    scenario('a page from a cache plays after the plugin was updated', async () => {
      const url = await site.post('[srs_player stream="live/a" protocol="flv"]');
      const cached = await (await fetch(url)).text();
      const folder = join(site.files, 'wp-content/plugins/lianmai/build');
      const work = mkdtempSync(join(tmpdir(), 'lianmai-update-'));
      const old = join(work, 'old-build');
      try {
        // The next version has other modules, and so other names.
        cpSync(join(ROOT, 'player-wasm/dist/srs-player'), join(work, 'modules'), { recursive: true });
        for (const name of readdirSync(join(work, 'modules'))) {
          if (name.endsWith('.js')) appendFileSync(join(work, 'modules', name), '\n// The next version.\n');
        }
        await run(XTASK, ['dist', 'plugin', join(work, 'modules'), join(work, 'dist')], { cwd: ROOT });
        renameSync(folder, old);
        cpSync(join(work, 'dist/lianmai/build'), folder, { recursive: true });
        const gone = readdirSync(old).filter((name) => name.endsWith('.js') && !readdirSync(folder).includes(name));
        assert.ok(gone.some((name) => name.startsWith('player.')), gone.join());
        const pages = {
          'of the version before': cached,
          'of a version that named its modules by their content': cached.replace(/element\.js\?ver=([0-9a-f]{8})/, 'element.$1.js'),
        };
        assert.notEqual(...Object.values(pages));
        for (const [what, html] of Object.entries(pages)) {
          const { page } = await site.as('visitor');
          await page.route(url, (route) => route.fulfill({ contentType: 'text/html', body: html }));
          await page.goto(url);
          await plays(page).catch((error) => { throw new Error(`${what}: ${error.message}`); });
        }
        // Copies of the script from an optimiser still have the old names. WordPress serves these files.
        const [, hash] = /element\.js\?ver=([0-9a-f]{8})/.exec(cached) ?? [];
        const answer = await fetch(`${site.url}/wp-content/plugins/lianmai/build/element.${hash}.js`);
        assert.equal(answer.status, 200);
        assert.match(answer.url, /element\.js\?ver=[0-9a-f]{8}$/);
        assert.equal((await fetch(`${site.url}/wp-content/plugins/lianmai/build/player.${hash}.js`)).status, 404);
      } finally {
        rmSync(folder, { recursive: true, force: true });
        renameSync(old, folder);
        rmSync(work, { recursive: true, force: true });
      }
    });
  });
}
