// The states of player and publisher: visible, announced once to screen readers, and available for styles.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LIMIT, axe, launch, openPage, startGateway, until } from './harness.mjs';
import { servePages } from './pages-server.mjs';
import { clip } from './support/clips.mjs';
import { startServer } from './support/server.mjs';

const CAPTURE = ['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream', '--mute-audio'];
const POSTER = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 9"><rect width="16" height="9" fill="#345"/></svg>')}`;
const CAPTIONS = 'WEBVTT\n\n00:00.000 --> 01:00.000\nHello\n';
/** @type {Awaited<ReturnType<typeof servePages>>} */ let site;
/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
before(async () => {
  [site, server, browser] = await Promise.all([servePages(), startServer(), launch(CAPTURE)]);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await server?.close();
});

/**
 * Opens a page with one element, and records the announcements for screen readers.
 * @param {string} element
 * @param {{ init?: () => void, css?: string, permissions?: string[] }} [options]
 */
async function open(element, { init, permissions } = {}) {
  const { page, close } = await openPage(browser, { permissions });
  await page.addInitScript(() => {
    window.said = [];
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function attachShadow(options) {
      const root = attach.call(this, options);
      // A live region is announced when its content changes.
      const before = new Map();
      new MutationObserver(() => {
        for (const region of root.querySelectorAll('[role=status],[role=alert]')) {
          const text = [...region.children].filter((node) => !node.hidden).map((node) => node.textContent).join(' ').trim();
          if (text && before.get(region) !== text) window.said.push([region.getAttribute('role'), text]);
          before.set(region, text);
        }
      }).observe(root, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['hidden'] });
      return root;
    };
  });
  if (init) await page.addInitScript(init);
  site.extra['/test'] = `<!doctype html><html lang="en"><title>test</title><link rel="icon" href="data:,"><main><h1>Test</h1>${element}</main><script src="/srs-player.js"></script></html>`;
  await page.goto(`${site.origin}/test`);
  await page.waitForFunction(() => document.querySelector('main').lastElementChild.state);
  const look = (/** @type {(element: any) => any} */ read) => page.evaluate(`(${read})(document.querySelector('main').lastElementChild)`);
  /** Checks that the element is in a state, shows a text, has announced it once, and axe finds no errors. */
  const is = async (/** @type {string} */ state, /** @type {RegExp | null} */ text, role = 'status') => {
    await until(`the state ${state}`, () => look(`(p) => p.state === ${JSON.stringify(state)} && (p.getAttribute('state') ?? 'idle') === p.state`));
    if (text) {
      await page.getByRole(/** @type {any} */ (role)).filter({ hasText: text }).waitFor({ state: 'attached' });
      // Mutations are reported after the change of the state.
      await until(`${text} to be said`, () => page.evaluate((source) => window.said.some(([, said]) => new RegExp(source).test(said)), text.source));
      const said = await page.evaluate(() => window.said);
      // A state may have several reasons, one after the other. None is announced twice.
      const sentences = said.filter(([by, sentence]) => by === role && text.test(sentence)).map(([, sentence]) => sentence);
      assert.ok(sentences.length > 0);
      assert.deepEqual(sentences, [...new Set(sentences)], state);
    }
    assert.deepEqual(await axe(page), [], state);
  };
  return { page, look, is, forget: () => page.evaluate(() => { window.said = []; }), close };
}

test('a player: not live yet, live, reconnecting, and live again', LIMIT, async () => {
  let away = false;
  /** @type {import('./support/server.mjs').Connection | undefined} */ let shown;
  const url = server.stream('later', 404);
  const { page, look, is, forget, close } = await open(
    `<srs-player url="${url}" poster="${POSTER}" offline="We start at eight." title="The evening show" autoplay muted controls></srs-player>`);
  await is('waiting', /^We start at eight\.$/);
  // The poster is still shown.
  assert.deepEqual(await look((p) => [p.video.poster.slice(0, 5), p.video.readyState]), ['data:', 0]);
  await page.getByText('We start at eight.').waitFor();
  await page.getByRole('group', { name: 'The evening show' }).waitFor({ state: 'attached' });
  await page.getByText('The evening show', { exact: true }).waitFor();
  server.stream('later', (connection) => {
    shown = connection;
    // End each attempt at once: a server that holds the request would soon count as waiting for a publisher.
    return away ? undefined : connection.play(clip());
  });
  await is('live', /^Live$/);
  assert.equal(await page.getByText('We start at eight.').count() && await page.getByText('We start at eight.').isVisible(), 0);
  away = true;
  await forget();
  shown?.close();
  await is('reconnecting', /Trying again…/);
  away = false;
  await is('live', /^Live$/);
  await close();
});

test('a player: connecting, paused, ended', LIMIT, async () => {
  /** @type {(() => void) | undefined} */
  let answer;
  const url = server.stream('slow', async (connection) => {
    await new Promise((resolve) => { answer = () => resolve(undefined); });
    await connection.play(clip());
  });
  const { look, is, close } = await open(`<srs-player url="${url}" muted controls></srs-player>`);
  await is('idle', null);
  await look((p) => { p.play().catch(() => {}); });
  await is('connecting', /^Connecting…$/);
  const send = await until('the request', () => answer);
  send();
  await is('live', /^Live$/);
  await look((p) => p.pause());
  await is('paused', null);
  await look((p) => p.removeAttribute('url'));
  await is('idle', null);
  await close();
  site.extra['/short.mp4'] = await short();
  const file = await open('<srs-player url="/short.mp4" autoplay muted controls></srs-player>');
  await file.is('ended', /^The stream has ended\.$/);
  await file.page.getByRole('button', { name: 'Try again' }).waitFor();
  await file.close();
});

test('a player: refused, and not supported', LIMIT, async () => {
  const url = server.stream('closed', 403);
  const refused = await open(`<srs-player url="${url}" autoplay muted controls></srs-player>`);
  await refused.is('error', /^The server does not allow playing this stream\.$/, 'alert');
  assert.equal(await refused.look((p) => p.getAttribute('code')), 'forbidden');
  await refused.close();
  const cases = {
    'no-mse': [() => { delete window.MediaSource; window.Worker = undefined; }, url, /^This browser cannot play live streams\.$/],
    'no-webrtc': [() => { delete window.RTCPeerConnection; }, url.replace('.flv', '/whep'), /WebRTC/],
  };
  for (const [code, [init, address, text]] of Object.entries(cases)) {
    const { look, is, close } = await open(`<srs-player url="${address}" protocol="${code === 'no-mse' ? 'flv' : 'webrtc'}" autoplay muted controls></srs-player>`, { init });
    await is('error', text, 'alert');
    assert.equal(await look((p) => p.getAttribute('code')), code);
    await close();
  }
});

test('the look of each state is the page\'s to set', LIMIT, async () => {
  const url = server.stream('away', 404);
  const { page, look, close } = await open(`<srs-player url="${url}" poster="${POSTER}" autoplay muted controls></srs-player>`);
  await until('waiting', () => look((p) => p.state === 'waiting'));
  await page.addStyleTag({ url: await css('srs-player{--srs-message-background:rgb(1,2,3);--srs-message-foreground:rgb(250,251,252);--srs-waiting:rgb(4,5,6);--srs-error:rgb(7,8,9)}') });
  const colours = () => look((p) => {
    const of = (selector) => getComputedStyle(p.shadowRoot.querySelector(selector));
    return [of('[role=status] p').backgroundColor, of('.note').color, of('.spin').borderTopColor, of('[role=alert] p').borderTopColor];
  });
  assert.deepEqual((await colours()).slice(0, 3), ['rgb(1, 2, 3)', 'rgb(250, 251, 252)', 'rgb(4, 5, 6)']);
  server.stream('away', 403);
  await until('the refusal', () => look((p) => p.state === 'error'));
  assert.equal((await colours())[3], 'rgb(7, 8, 9)');
  await close();
});

test('recorded files: loop, preload, captions by button and key, aspect ratio', LIMIT, async () => {
  site.extra['/short.mp4'] ??= await short();
  site.extra['/words.html'] = CAPTIONS;
  site.requests.length = 0;
  const { page, look, close } = await open('<srs-player url="/short.mp4" preload="metadata" captions="/words.html" ratio="4:3" width="400" loop muted controls></srs-player>');
  await until('the file to be known', () => look((p) => p.readyState >= 1 && p.duration > 0));
  assert.deepEqual(await look((p) => [p.state, p.paused, Math.round(p.clientWidth / p.clientHeight * 100)]), ['idle', true, 133]);
  assert.ok(!site.requests.includes('/srs-player/player.js'), 'no engine yet');
  await page.getByRole('button', { name: 'Play' }).first().click();
  await page.getByRole('button', { name: 'Captions' }).waitFor();
  await until('the caption', () => look((p) => p.video.textTracks[0].mode === 'showing' && p.video.textTracks[0].activeCues?.[0]?.text === 'Hello'));
  await page.getByRole('button', { name: 'Captions' }).click();
  assert.equal(await look((p) => p.video.textTracks[0].mode), 'hidden');
  await page.keyboard.press('c');
  assert.equal(await look((p) => p.video.textTracks[0].mode), 'showing');
  let last = 0;
  await until('the beginning again', async () => {
    const now = await look((p) => p.currentTime);
    const again = now < last;
    last = now;
    return again;
  });
  await until('it plays again', () => look((p) => p.state === 'live'));
  await look((p) => { p.loop = false; });
  await until('the end', () => look((p) => p.state === 'ended'));
  await close();
});

test('the number of viewers is shown if the gateway reports it', LIMIT, async () => {
  const url = server.stream('seen', (connection) => connection.play(clip()));
  const { page, look, close } = await open(`<srs-player url="${url}" viewers muted controls></srs-player>`);
  let known = true;
  const headers = { 'access-control-allow-origin': '*' };
  const asked = [];
  await page.route('**/live/seen/viewers', (route) => {
    asked.push('viewers');
    return known ? route.fulfill({ headers, json: { viewers: 3 } }) : route.fulfill({ headers, status: 500 });
  });
  await page.route('**/api/v1/streams/**', (route) => {
    asked.push('streams');
    return route.fulfill({ status: 404 });
  });
  await look((p) => p.play());
  await page.getByRole('img', { name: '3 watching' }).waitFor();
  known = false;
  await look((p) => { p.pause(); });
  await page.getByRole('img', { name: '3 watching' }).waitFor({ state: 'detached' }).catch(() => {});
  assert.equal(await page.getByRole('img', { name: /watching/ }).count(), 0);
  await look((p) => p.play());
  await until('live', () => look((p) => p.state === 'live'));
  assert.equal(await page.getByRole('img', { name: /watching/ }).count(), 0);
  await until('the second question', () => asked.length > 1);
  assert.ok(!asked.includes('streams'));
  await close();
});

test('SRS reports the number of viewers in its list of streams', LIMIT, async () => {
  const url = server.stream('listed', (connection) => connection.play(clip()));
  const { page, look, close } = await open(`<srs-player url="${url}" viewers muted controls></srs-player>`);
  const headers = { 'access-control-allow-origin': '*' };
  await page.route('**/live/listed/viewers', (route) => route.fulfill({ headers, status: 404 }));
  await page.route('**/api/v1/streams/**', (route) => route.fulfill({ headers, json: { code: 0, streams: [
    { app: 'live', name: 'other', clients: 9 }, { app: 'live', name: 'listed', clients: 5, publish: { active: true, cid: 'x' } },
  ] } }));
  await look((p) => p.play());
  await page.getByRole('img', { name: '4 watching' }).waitFor();
  await close();
});

test('a publisher: idle, requesting, connecting, live, reconnecting, ended', LIMIT, async () => {
  let gateway = await startGateway();
  const { page, look, is, forget, close } = await open(`<srs-publisher url="${gateway.http}/live/states/whip"></srs-publisher>`, {
    permissions: ['camera', 'microphone'],
    init: () => {
      const { mediaDevices } = navigator;
      const real = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = async (wish) => {
        await new Promise((resolve) => { window.allow = resolve; });
        return real(wish);
      };
    },
  });
  try {
    await is('idle', /^Camera and microphone are opened when you press the button\.$/);
    /** @type {(() => void) | undefined} */
    let answer;
    await page.route('**/whip', async (route) => {
      await new Promise((resolve) => { answer = () => resolve(undefined); });
      await route.continue();
    }, { times: 1 });
    await page.getByRole('button', { name: 'Go live' }).click();
    await is('requesting', /^Waiting for your permission…$/);
    await page.waitForFunction(() => window.allow);
    await page.evaluate(() => window.allow());
    await is('connecting', /^Connecting…$/);
    // The browser sends the request after it has gathered its candidates, which may take longer than the checks above.
    const send = await until('the request', () => answer);
    send();
    await is('live', /^You are live\.$/);
    await forget();
    const at = gateway.addresses;
    await gateway.stop();
    await is('reconnecting', /Connecting again…/);
    gateway = await startGateway([], at);
    await is('live', /^You are live\.$/);
    await page.getByRole('button', { name: 'Stop' }).click();
    await is('ended', /^You are off air\.$/);
    assert.equal(await look((p) => p.stream), null);
  } finally {
    await close();
    await gateway.stop();
  }
});

test('a publisher: refused, and not supported', LIMIT, async () => {
  const { look, is, page, close } = await open('<srs-publisher url="/live/refused/whip"></srs-publisher>', { permissions: ['camera', 'microphone'] });
  await page.route('**/whip', (route) => route.fulfill({ status: 403, json: { detail: 'no' } }));
  await page.getByRole('button', { name: 'Go live' }).click();
  await is('error', /^The server wants its secret, or a token, from those who publish\.$/, 'alert');
  assert.equal(await look((p) => p.getAttribute('code')), 'forbidden');
  await page.getByLabel('Secret').waitFor();
  await close();
  const old = await open('<srs-publisher url="/live/x/whip"></srs-publisher>', {
    permissions: ['camera', 'microphone'],
    init: () => {
      delete window.RTCPeerConnection;
      delete window.VideoEncoder;
      delete window.AudioEncoder;
    },
  });
  await old.page.getByRole('button', { name: 'Go live' }).click();
  await old.is('error', /^This browser cannot publish over a WebSocket\.$/, 'alert');
  await old.close();
});

test('with a preview, a publisher shows the camera before it goes live, and sends nothing', LIMIT, async () => {
  site.requests.length = 0;
  const { page, look, close } = await open('<srs-publisher url="/live/x/whip" preview></srs-publisher>', { permissions: ['camera', 'microphone'] });
  await until('the picture', () => look((p) => p.state === 'idle' && p.video.videoWidth > 0));
  await page.getByRole('button', { name: 'Go live' }).waitFor();
  assert.deepEqual(site.requests.filter((path) => path.endsWith('/whip')), []);
  const track = await page.evaluateHandle(() => document.querySelector('srs-publisher').stream.getVideoTracks()[0]);
  await look((p) => p.remove());
  await until('the camera to be closed', () => track.evaluate(({ readyState }) => readyState === 'ended'));
  await close();
});

/** Returns an address of a style sheet that the page's policy allows. @param {string} text */
async function css(text) {
  site.extra['/look.css'] = Buffer.from(text);
  return '/look.css';
}

/** Returns a file with two seconds of video. */
async function short() {
  const { execFileSync } = await import('node:child_process');
  return execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=2', '-c:v', 'libx264',
    '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4', '-']);
}
