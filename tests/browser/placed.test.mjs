// The player in different places: another document, an iframe, the back/forward cache, a narrow column; every kind of
// script tag; and the media session of the system.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { LIMIT, endings, launch, openPage, startGateway, until } from './harness.mjs';
import { servePages } from './pages-server.mjs';

/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {Awaited<ReturnType<typeof servePages>>} */ let site;
/** @type {Awaited<ReturnType<typeof servePages>>} */ let other;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let tone;

before(async () => {
  gateway = await startGateway(['--demo']);
  tone = spawn('ffmpeg', ['-v', 'error', '-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
    '-c:a', 'aac', '-f', 'flv', `${gateway.rtmp}/live/radio`], { stdio: ['ignore', 'ignore', 'inherit'] });
  [site, other, browser] = await Promise.all([servePages({}, ''), servePages({}, ''), launch()]);
});
after(async () => {
  tone?.kill('SIGKILL');
  await browser?.close();
  await site?.close();
  await other?.close();
  await gateway?.stop();
});

const SCRIPT = '<script src="GATEWAY/srs-player.js"></script>';
const PLAYER = '<srs-player url="GATEWAY/live/livestream.flv" autoplay muted controls></srs-player>';
const RTC = PLAYER.replace('GATEWAY/live/livestream.flv', 'webrtc://HOST/live/livestream').replace('autoplay', 'protocol="webrtc" autoplay');
const fill = (/** @type {string} */ html) => html.replaceAll('GATEWAY', gateway.http).replaceAll('HOST', new URL(gateway.http).host);
const page = (/** @type {string} */ body) => fill(`<!doctype html><title>Page</title><link rel="icon" href="data:,"><body style="margin:0">${body}`);

/** @param {string} body @param {import('playwright-core').BrowserContextOptions} [options] */
async function open(body, options, { path = '/placed', at = browser } = {}) {
  site.extra[path] = page(body);
  const opened = await openPage(at, options);
  await opened.page.goto(`${site.origin}${path}`);
  return opened;
}

/** Checks that the first player of a page or frame shows moving video. @param {import('playwright-core').Page | import('playwright-core').Frame} where */
async function plays(where) {
  const look = () => where.evaluate(() => {
    const { state, video } = document.querySelector('srs-player') ?? {};
    return video ? { state, time: video.currentTime, ready: video.readyState, frames: video.getVideoPlaybackQuality().totalVideoFrames } : {};
  });
  const first = await look();
  await until('the picture to move', async () => {
    const { state, time, ready, frames } = await look();
    return state === 'live' && ready > 2 && time > 0.3 && time !== first.time && frames > 3;
  });
}

/** Returns the number of viewers of a stream that the gateway counts. */
async function viewers(name = 'livestream') {
  return (await (await fetch(`${gateway.http}/live/${name}/viewers`)).json()).viewers;
}

const styled = () => {
  const { frame, player } = window;
  const { shadowRoot: root } = player;
  const style = (/** @type {string} */ what, /** @type {Element} */ node = root.querySelector(what)) => node.ownerDocument.defaultView.getComputedStyle(node);
  return { bar: style('.bar').position, video: style('video').position, of: player.ownerDocument === frame };
};

test('a player that moves into another document and back continues and looks the same', LIMIT, async () => {
  for (const kind of ['iframe', 'window']) {
    const { page: shown, errors, close } = await open(`${PLAYER}<iframe srcdoc="<!doctype html><body>" width="700" height="400"></iframe><button>out</button>${SCRIPT}`);
    await plays(shown);
    await shown.evaluate(() => Object.assign(window, { player: document.querySelector('srs-player'), frame: document }));
    const before = await shown.evaluate(styled);
    assert.deepEqual([before.bar, before.video, before.of], ['absolute', 'absolute', true]);
    const moves = () => until(`${kind}: the picture to move`, () => shown.evaluate(async () => {
      const { player: { video, state } } = window;
      const from = video.currentTime;
      await new Promise((resolve) => { setTimeout(resolve, 300); });
      return state === 'live' && video.readyState > 2 && video.currentTime > from;
    }));
    if (kind === 'window') {
      if (!await shown.evaluate(() => 'documentPictureInPicture' in window)) continue;
      await shown.evaluate(() => document.querySelector('button').addEventListener('click', async () => {
        const { document: inside } = await window.documentPictureInPicture.requestWindow({ width: 500, height: 300 });
        inside.body.append(window.player);
        window.frame = inside;
      }, { once: true }));
      await shown.getByRole('button', { name: 'out' }).click();
      await until('the window', () => shown.evaluate(() => window.frame !== document));
    } else {
      await shown.evaluate(() => {
        window.frame = document.querySelector('iframe').contentDocument;
        window.frame.body.append(window.player);
      });
    }
    assert.deepEqual(await shown.evaluate(styled), before, kind);
    await moves();
    assert.equal(await shown.evaluate(() => getComputedStyle(window.player).aspectRatio), '854 / 480');
    await shown.evaluate(() => {
      window.frame = document;
      document.body.append(window.player);
    });
    assert.deepEqual(await shown.evaluate(styled), before, `${kind}, and back`);
    await moves();
    assert.deepEqual(errors, []);
    await close();
  }
});

test('a player that was adopted by a document without a window has its style later', LIMIT, async () => {
  const { page: shown, close } = await open(`<srs-player></srs-player>${SCRIPT}`);
  await shown.waitForFunction(() => document.querySelector('srs-player').video);
  const looks = await shown.evaluate(`(() => {
    Object.assign(window, { player: document.querySelector('srs-player'), frame: document });
    const before = (${styled})();
    document.implementation.createHTMLDocument('').body.append(window.player);
    document.body.append(document.adoptNode(window.player));
    return [before, (${styled})()];
  })()`);
  assert.deepEqual(looks[1], looks[0]);
  await close();
});

test('players that are removed while they connect end their sessions', LIMIT, async () => {
  const { page: shown, close } = await open(SCRIPT);
  await shown.waitForFunction(() => customElements.get('srs-player'));
  await until('nobody to watch', async () => (await viewers()) === 0);
  // A start takes a few hundred milliseconds, or more on a busy machine. Repeat until some players had a session.
  let step = 12;
  await until('players with a session', async () => {
    await shown.evaluate(async ([html, step]) => {
      for (let n = 0; n < 24; n++) {
        document.body.insertAdjacentHTML('beforeend', html);
        const player = document.body.lastElementChild;
        // Remove the player at different moments of its start.
        setTimeout(() => player.remove(), step * n);
        await new Promise((resolve) => { setTimeout(resolve, 60); });
      }
    }, [fill(RTC), step]);
    step *= 2;
    await until('the sessions to be given back', async () => (await viewers()) === 0);
    return endings(gateway, 'live/livestream').length > 0;
  });
  // The players ended the sessions, not a timeout of the gateway.
  const whys = endings(gateway, 'live/livestream');
  assert.ok(whys.every((why) => /^the client left/.test(why)), whys.join());
  await close();
});

test('a page in the back/forward cache has no connection, and plays when it returns', LIMIT, async () => {
  const cached = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
  await until('nobody to watch', async () => (await viewers()) === 0);
  other.extra['/second'] = page('second');
  try {
    for (const body of [PLAYER, PLAYER.replace('http', 'ws'), RTC]) {
      const { page: shown, close } = await open(`${body}${SCRIPT}<script>addEventListener('pageshow', ({ persisted }) => { window.kept = persisted; })</script>`, {}, { at: cached });
      await plays(shown);
      const from = gateway.log().length;
      await shown.goto(`${other.origin}/second`);
      await until('the connection to be closed', async () => (await viewers()) === 0);
      // With a connection, the page would read nothing until the gateway closed it.
      const ended = () => gateway.log().slice(from).split('\n').filter((line) => /disconnected .*reason=/.test(line));
      await until('its end in the log', () => ended().length > 0);
      assert.match(ended().join(), /reason="the client left"/);
      await shown.goBack({ waitUntil: 'commit' });
      await shown.waitForFunction(() => 'kept' in window);
      // Chromium does not cache a page with a peer connection, so that page is loaded again.
      assert.equal(await shown.evaluate(() => window.kept), body !== RTC, body);
      await plays(shown);
      await close();
      await until('the viewer to be gone', async () => (await viewers()) === 0);
    }
  } finally {
    await cached.close();
  }
});

test('in a frame without permissions there is no full screen, and the publisher explains its error', LIMIT, async () => {
  other.extra['/play'] = page(PLAYER + SCRIPT);
  other.extra['/publish'] = page(`<srs-publisher url="GATEWAY/live/framed/whip"></srs-publisher>${SCRIPT}`);
  for (const allow of ['', 'fullscreen; camera; microphone; picture-in-picture']) {
    const { page: shown, close } = await open(['play', 'publish']
      .map((name) => `<iframe src="${other.origin}/${name}" allow="${allow}" width="660" height="380"></iframe>`).join(''));
    const [, player, publisher] = shown.frames();
    await plays(player);
    assert.equal(await player.evaluate(() => document.querySelector('srs-player').shadowRoot.querySelector('.full').hidden), allow === '');
    await publisher.waitForFunction(() => customElements.get('srs-publisher'));
    await publisher.getByRole('button', { name: 'Go live' }).click();
    const error = await until('an error', () => publisher.evaluate(() => document.querySelector('srs-publisher').error));
    if (allow) assert.notEqual(error.message.includes('<iframe>'), true, error.message);
    else assert.match(error.message, /^The page around this one does not let it use camera and microphone\. Its <iframe> needs allow="camera;/);
    assert.equal(error.code, allow ? error.code : 'permission');
    await close();
  }
});

test('only an audible player has a title and buttons in the system', LIMIT, async () => {
  const { page: shown, close } = await open(`${PLAYER.replace('autoplay', 'autoplay title="A title"')}${SCRIPT}`);
  await plays(shown);
  const look = () => shown.evaluate(() => [navigator.mediaSession.metadata?.title, navigator.mediaSession.playbackState]);
  assert.deepEqual(await look(), [undefined, 'none']);
  await shown.evaluate(() => { document.querySelector('srs-player').muted = false; });
  await until('a title', async () => (await look())[0] === 'A title');
  assert.deepEqual(await look(), ['A title', 'playing']);
  await shown.evaluate(() => document.querySelector('srs-player').pause());
  await until('paused', async () => (await look())[1] === 'paused');
  await shown.evaluate(() => document.querySelector('srs-player').remove());
  await until('nothing', async () => (await look()).join() === ',none');
  // The metadata of the page is kept.
  await shown.evaluate((html) => {
    navigator.mediaSession.metadata = new MediaMetadata({ title: 'Own' });
    document.body.insertAdjacentHTML('beforeend', html);
  }, fill(PLAYER.replace(' muted', '')));
  await plays(shown);
  assert.deepEqual(await look(), ['Own', 'none']);
  await close();
});

test('audio without video shows the name and the level', LIMIT, async () => {
  const { page: shown, errors, close } = await open(`${PLAYER.replace('livestream', 'radio')}${SCRIPT}`);
  const meter = shown.locator('srs-player').locator('.meter');
  await meter.waitFor();
  assert.equal(await meter.locator('b').textContent(), 'radio');
  const heights = () => meter.locator('i').evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().height));
  // 440 Hz: the third band is loud, the last is not.
  await until('the level of a tone', async () => {
    const all = await heights();
    return all[2] > 2 * all[5] && all[2] > 20 && !/unmeasured/.test(await meter.getAttribute('class'));
  });
  await shown.evaluate((url) => { document.querySelector('srs-player').url = url; }, fill('GATEWAY/live/livestream.flv'));
  await plays(shown);
  await meter.waitFor({ state: 'detached' });
  assert.deepEqual(errors, []);
  await close();
});

test('spinner and dot are round at a width of 240 pixels', LIMIT, async () => {
  const { page: shown, close } = await open(`<div style="width:240px">${PLAYER.replace('livestream', 'nobody')}</div>${SCRIPT}`);
  const size = (/** @type {string} */ what, pseudo = '') => shown.evaluate(([selector, before]) => {
    const root = document.querySelector('srs-player')?.shadowRoot;
    const node = root?.querySelector(selector);
    if (!node) return null;
    const { width, height } = getComputedStyle(node, before || null);
    return [parseFloat(width), parseFloat(height)];
  }, [what, pseudo]);
  await until('a round spinner', async () => (await size('.spin'))?.join() === '34,34');
  await shown.evaluate((url) => { document.querySelector('srs-player').url = url; }, fill('GATEWAY/live/livestream.flv'));
  await plays(shown);
  assert.deepEqual(await size('.badge', '::before'), [9, 9]);
  await close();
});

test('the script works as a module, imported and evaluated', LIMIT, async () => {
  const source = readFileSync(new URL('../../player-wasm/dist/srs-player.js', import.meta.url), 'utf8');
  site.extra['/all.js'] = Buffer.from(`window.first = 1;\n${source}`);
  const ways = {
    module: '<script type="module" src="GATEWAY/srs-player.js"></script>',
    imported: '<script type="module">import "GATEWAY/srs-player.js";</script>',
    evaluated: '<script>fetch("GATEWAY/srs-player.js").then((response) => response.text()).then((text) => (0, eval)(text));</script>',
    inserted: `<script>fetch("GATEWAY/srs-player.js").then((response) => response.text()).then((text) => {
      const script = document.createElement('script'); script.text = text; document.head.append(script); });</script>`,
    'a copy beside the folder': '<script src="/srs-player.js"></script>',
    'combined, with a base': '<script src="/all.js"></script>',
  };
  for (const [name, script] of Object.entries(ways)) {
    const { page: shown, errors, close } = await open(`${PLAYER.replace('<srs-player', `<srs-player${/base/.test(name) ? ' base="GATEWAY/srs-player/"' : ''}`)}${script}`);
    await plays(shown).catch((error) => assert.fail(`${name}: ${error} ${errors}`));
    assert.deepEqual(errors, [], name);
    await close();
  }
});

test('combined with others, where nothing tells its folder, it says so', LIMIT, async () => {
  site.extra['/far/all.js'] = site.extra['/all.js'];
  const { page: shown, errors, close } = await open(`${PLAYER}<script src="/far/all.js"></script>`);
  await shown.getByText('srs-player.js cannot load the player').waitFor();
  await until('the console to say it', () => errors.some((text) => /base="https:\/\/your-gateway\/srs-player\/"/.test(text)));
  await close();
});
