// A WordPress with the plugin, a gateway that trusts its key, and Chromium with a fake camera to visit them.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { launch, openPage, startGateway, until } from '../../browser/harness.mjs';
import { start } from './processes.mjs';
import { startWordPress } from './wordpress.mjs';

/** The second fake camera gives depth, not colour. */
const CAPTURE = ['--use-fake-device-for-media-stream=device-count=3,fps=20', '--use-fake-ui-for-media-stream', '--disable-gpu',
  '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  // The gateway is used by this test only.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
const SHOTS = new URL('../../../target/tmp/screenshots/', import.meta.url).pathname;

/** @typedef {Awaited<ReturnType<typeof startSite>>} Site */
/** @typedef {'visitor' | 'subscriber' | 'contributor' | 'author' | 'editor' | 'admin'} Role */

/** The secret of clients that do not belong to the site. */
export const SECRET = 'kept-between-servers-4711';

/**
 * @param {Parameters<typeof startWordPress>[0] & { flags?: string[] | ((url: string) => string[]), settings?: Record<string, unknown>, jwks?: boolean, prefix?: string }} [options]
 *   `flags` of the gateway, which may depend on the site's address; `jwks: false`: the gateway does not trust the site; `prefix`: the prefix of the site's streams on the gateway
 */
export async function startSite({ flags = [], settings = {}, jwks = true, prefix = '', ...options } = {}) {
  /** @type {(() => Promise<unknown>)[]} */
  const started = [];
  const stop = async () => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const wordpress = await startWordPress(options);
    started.push(wordpress.stop);
    const keys = `${wordpress.url}/wp-json/lianmai/v1/jwks`;
    const trust = prefix ? ['--auth-jwks', `${prefix}/=${keys}`] : ['--auth-jwks', keys, '--auth-issuer', wordpress.url];
    const more = typeof flags === 'function' ? flags(wordpress.url) : flags;
    const all = [...(jwks ? trust : []), '--secret', SECRET, ...more];
    let gateway = await startGateway(all);
    started.push(() => gateway.stop());
    const browser = await launch(CAPTURE);
    started.push(() => browser.close());
    // A gateway that listens on all addresses is reached at 127.0.0.1.
    const http = gateway.http.replace('0.0.0.0', '127.0.0.1');
    /** @type {Set<import('playwright-core').Page>} */
    const pages = new Set();
    const set = (/** @type {Record<string, unknown>} */ more) => wordpress.php(
      `return update_option( 'lianmai_settings', $args + (array) get_option( 'lianmai_settings', array() ) );`, more,
    );
    await set({ server: http, ...settings });
    return {
      ...wordpress, browser, http, pages, set, rtmp: gateway.rtmp.replace('0.0.0.0', '127.0.0.1'),
      gatewayLog: () => gateway.log(),
      /** Ends the gateway. Returns a function that starts it again at the same addresses. */
      async kill() {
        const { addresses } = gateway;
        await gateway.stop();
        return async () => { gateway = await startGateway(all, addresses); };
      },
      /**
       * Opens a browser for a person, logged in.
       * @param {Role} role
       */
      async as(role) {
        const opened = await openPage(browser, { permissions: ['camera', 'microphone'] });
        pages.add(opened.page);
        // The console does not name the file that was not loaded.
        /** @type {string[]} */
        const refused = [];
        opened.page.on('response', (response) => {
          if (response.status() >= 400) refused.push(`${response.status()} to ${response.request().method()} ${response.url()}`);
        });
        const { request } = opened.page.context();
        if (role !== 'visitor') {
          const answer = await request.post(`${wordpress.url}/wp-login.php`, { form: { log: role, pwd: 'password' }, maxRedirects: 0 });
          assert.equal(answer.status(), 302, `${role} cannot log in`);
        }
        /** Returns the nonce, as the page's script gets it. */
        const nonce = async () => {
          const answer = await request.get(`${wordpress.url}/wp-admin/admin-ajax.php?action=rest-nonce`);
          return answer.ok() ? answer.text() : '';
        };
        /** Sends a request to a route of the plugin. @param {string} route @param {unknown} data @param {string} [known] a nonce */
        const post = async (route, data, known) => {
          const headers = known ? { 'x-wp-nonce': known } : {};
          const answer = await request.post(`${wordpress.url}/wp-json/lianmai/v1/${route}`, { data, headers });
          return { status: answer.status(), ...await answer.json() };
        };
        // Ignore refused requests of WordPress itself, and requests of browsers for icons.
        const complaints = () => [...opened.errors.filter((error) => !error.startsWith('Failed to load resource')),
          ...refused.filter((one) => one.includes('lianmai') || one.includes(http))];
        return { ...opened, complaints, request, nonce, post };
      },
      /** Publishes a test video and tone over RTMP, with the server's secret. @param {string} stream */
      ffmpeg: (stream) => start('ffmpeg', ['-v', 'error', '-re',
        '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=15', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100',
        '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '15', '-pix_fmt', 'yuv420p', '-c:a', 'aac',
        '-f', 'flv', `${gateway.rtmp.replace('0.0.0.0', '127.0.0.1')}/${stream}?secret=${SECRET}`]),
      /** Returns whether the gateway has video of a stream. @param {string} stream */
      async onAir(stream) {
        const [app, name] = stream.split('/');
        const answer = await fetch(`${http}/api/v1/streams?count=100&secret=${SECRET}`);
        const { streams } = await answer.json();
        return streams.find((one) => one.app === app && one.name === name && one.publish.active && one.video);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Runs tests that share a site, on each version. Errors of PHP fail the last test.
 * @param {string} what
 * @param {('oldest' | 'current')[]} versions
 * @param {Parameters<typeof startSite>[0]} options
 * @param {(site: Site, scenario: (name: string, run: () => Promise<unknown>) => void) => void} define
 */
export function onSites(what, versions, options, define) {
  for (const version of versions) {
    describe(`${what}, on the ${version} WordPress`, () => {
      const site = /** @type {Site} */ ({});
      before(async () => {
        Object.assign(site, await startSite({ ...options, version }));
      });
      after(() => site.stop?.());
      define(site, (name, run) => it(name, async () => {
        try {
          await run();
        } catch (error) {
          await shoot(site, `${version} ${name}`);
          throw error;
        } finally {
          for (const page of site.pages) await page.context().close();
          site.pages.clear();
        }
      }));
      it('leaves PHP nothing to complain of', () => assert.deepEqual(site.complaints(), []));
    });
  }
}

/** Saves a screenshot of every open page. @param {Site} site @param {string} name */
async function shoot({ pages }, name) {
  mkdirSync(SHOTS, { recursive: true });
  let n = 0;
  for (const page of pages) {
    const path = join(SHOTS, `${name.replace(/\W+/g, '-')}-${++n}.png`);
    await page.screenshot({ path }).then(() => console.error(`screenshot of ${page.url()}: ${path}`), () => {});
  }
}

/**
 * Functions that observe a player in a page.
 * @param {import('playwright-core').Page} page
 * @param {string} [selector]
 */
export function player(page, selector = 'srs-player') {
  const read = () => page.evaluate((css) => {
    const element = /** @type {any} */ (document.querySelector(css));
    const video = element?.video;
    if (!video) return { state: element?.state ?? '', time: 0, frames: 0, pixels: '', why: element?.error?.message };
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 32, height: 18 });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.drawImage(video, 0, 0, 32, 18);
    const pixels = context.getImageData(0, 0, 32, 18).data;
    return {
      state: element.state, time: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames,
      // A black frame does not count.
      pixels: pixels.some((value, at) => at % 4 < 3 && value > 16) ? pixels.join() : '', why: element.error?.message ?? element.reason,
    };
  }, selector);
  return {
    read,
    /** @param {string} name */
    state: (name) => until(`the player ${name}`, async () => {
      const { state } = await read();
      return state === name;
    }),
    /** Checks that from now on time advances, frames arrive, and pixels change. */
    async moves() {
      const first = await read();
      return until('a moving picture', async () => {
        const now = await read();
        const moved = now.pixels && now.pixels !== first.pixels && now.frames !== first.frames && now.time > first.time;
        return moved ? now : null;
      }).catch(async (error) => {
        const { pixels, ...rest } = await read();
        throw new Error(`${error.message} (${JSON.stringify({ ...rest, picture: pixels !== '' })})`);
      });
    },
    /** Checks that audio is audible. */
    sounds: () => until('sound', () => page.evaluate(async (css) => {
      const { video } = /** @type {any} */ (document.querySelector(css));
      const audio = new AudioContext();
      const analyser = audio.createAnalyser();
      const source = video.srcObject ? audio.createMediaStreamSource(video.srcObject)
        : audio.createMediaStreamSource(video.captureStream());
      source.connect(analyser);
      await audio.resume();
      const samples = new Float32Array(analyser.fftSize);
      let peak = 0;
      // The fake microphone beeps once a second.
      for (let n = 0; n < 60 && peak < 0.01; n++) {
        analyser.getFloatTimeDomainData(samples);
        for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      await audio.close();
      return peak >= 0.01;
    }, selector)),
  };
}

/**
 * Returns the errors that axe finds in a part of a page.
 * @param {import('playwright-core').Page} page
 * @param {string} selector
 */
export async function axe(page, selector) {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
  const { violations } = await page.evaluate((css) => /** @type {any} */ (window).axe.run(css), selector);
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html, any }) => [html, any[0]?.message])]);
}

/** Returns the ticket of a page's publisher. @param {string} html */
export function ticket(html) {
  const found = /<srs-publisher[^>]* data-ticket="([^"]+)"/.exec(html);
  assert.ok(found, 'the page has no publisher with a ticket');
  return found[1];
}
