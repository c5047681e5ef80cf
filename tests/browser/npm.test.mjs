// The npm package in a project: packed, installed into a Vite project (demo/vite), built and served by Vite's own
// server, in Chromium with a live stream; its types; and its import on a server without a browser.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { LIMIT, launch, openPage, startGateway, until } from './harness.mjs';
import { PlayerPage } from './support/browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const CAPTURE = ['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream', '--mute-audio'];
/** Where the project is, outside of the workspace, so that nothing is found by chance. */
const project = mkdtempSync(join(tmpdir(), 'lianmai-npm-'));
const vite = join(project, 'node_modules/vite/bin/vite.js');
/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {{ files: { path: string }[], filename: string }} */ let packed;
/** @type {(() => unknown)[]} */
const endings = [];

before(async () => {
  const [{ stdout }, started] = await Promise.all([
    run('npm', ['pack', '--json', '--pack-destination', project], { cwd: join(root, 'player-wasm') }),
    startGateway(),
  ]);
  packed = JSON.parse(stdout)[0];
  gateway = started;
  endings.push(publish());
  await install();
  browser = await launch(CAPTURE);
}, LIMIT);
after(async () => {
  await browser?.close();
  for (const end of endings.reverse()) await end();
  await gateway?.stop();
  rmSync(project, { recursive: true, force: true });
});

/** The demo's project with the packed package in the place of the folder. */
async function install() {
  cpSync(join(root, 'demo/vite'), project, { recursive: true, filter: (path) => !/vite\/(node_modules|dist)\b/.test(path) });
  const edit = (/** @type {string} */ file, /** @type {(content: any) => void} */ change) => {
    const content = JSON.parse(readFileSync(join(project, file), 'utf8'));
    change(content);
    writeFileSync(join(project, file), JSON.stringify(content));
  };
  edit('package.json', ({ dependencies }) => { delete dependencies.lianmai; });
  edit('package-lock.json', ({ packages }) => {
    delete packages[''].dependencies.lianmai;
    for (const name of ['node_modules/lianmai', '../../player-wasm']) delete packages[name];
  });
  const quiet = ['--no-audit', '--no-fund'];
  await run('npm', ['ci', '--prefer-offline', ...quiet], { cwd: project });
  await run('npm', ['install', '--offline', '--no-save', ...quiet, `./${packed.filename}`], { cwd: project });
}

/** A test picture and a tone, live until the answer is called. */
function publish() {
  const child = spawn('ffmpeg', ['-v', 'error', '-re',
    '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '60',
    '-c:a', 'aac', '-f', 'flv', `${gateway.rtmp}/live/livestream`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  return () => {
    child.kill('SIGKILL');
    return ended;
  };
}

/** One of Vite's servers; its address. @param {string[]} args */
async function serve(...args) {
  const child = spawn(process.execPath, [vite, ...args, '--host', '127.0.0.1', '--port', '0'], {
    cwd: project, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NO_COLOR: '1' },
  });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  endings.push(() => {
    child.kill();
    return ended;
  });
  let log = '';
  child.stdout.on('data', (data) => { log += data; });
  return until('the address of Vite', () => /http:\/\/127\.0\.0\.1:\d+/.exec(log)?.[0]);
}

/** Checks that the page's player shows a moving video and plays audio. @param {import('playwright-core').Page} page */
async function plays(page) {
  await page.waitForFunction(() => document.querySelector('srs-player')?.video);
  await page.evaluate(() => {
    const player = document.querySelector('srs-player');
    player.muted = false;
    Object.assign(window, { player, video: player.video, log: [] });
  });
  const shown = new PlayerPage(page);
  await shown.moves();
  await page.evaluate(async () => {
    const { srcObject } = window.video;
    if (!(srcObject instanceof MediaStream)) return;
    // Audio over WebRTC is measured at its stream, not at the element.
    const audio = new AudioContext();
    const analyser = audio.createAnalyser();
    audio.createMediaStreamSource(srcObject).connect(analyser);
    await audio.resume();
    Object.assign(window, { analyser });
  });
  await until('sound', async () => (await shown.loudness()) > 0.02);
}

for (const [how, args] of [['its build', ['preview']], ['its server', []]]) {
  test(`Vite, ${how}: plain, React and Vue play`, LIMIT, async () => {
    if (args.length) await run(process.execPath, [vite, 'build'], { cwd: project });
    const origin = await serve(...args);
    for (const name of ['index', 'react', 'vue']) {
      const { page, errors, close } = await openPage(browser);
      await page.goto(`${origin}/${name}.html?server=${gateway.http}`);
      await plays(page);
      // The player uses a Worker, and the wasm in the place where the bundler has put it.
      assert.ok(page.workers().length === 1, `${name}: ${page.workers().length} workers`);
      if (name !== 'index') await page.getByText('The player is live.').waitFor();
      assert.deepEqual(errors, [], name);
      await close();
    }
    const { page, errors, close } = await openPage(browser, { permissions: ['camera', 'microphone'] });
    await page.goto(`${origin}/beside.html?server=${gateway.http}&stream=live/${args[0] ?? 'dev'}`);
    await page.getByRole('button', { name: 'Go live' }).click();
    await until('the publisher to be live', () => page.evaluate(() => document.querySelector('srs-publisher').state === 'live'));
    await plays(page);
    // The player has requested the stream before it started.
    assert.deepEqual(errors.filter((text) => !/404/.test(text)), []);
    await close();
  });
}

test('React hydrates the server\'s HTML, although the element has started before', LIMIT, async () => {
  writeFileSync(join(project, 'src/tree.js'), `
import { createElement } from 'react';
const props = { url: '${gateway.http}/live/livestream.flv', autoplay: true, muted: true, controls: true, title: 'Live' };
export const tree = createElement('p', null, createElement('srs-player', props), createElement('srs-player', { url: 'rtmp://example.org/live/x', autoplay: true }));
`);
  writeFileSync(join(project, 'src/render.mjs'), `
import { renderToString } from 'react-dom/server';
import { tree } from './tree.js';
console.log(renderToString(tree));
`);
  writeFileSync(join(project, 'src/hydrate.js'), `
import { hydrateRoot } from 'react-dom/client';
import { tree } from './tree.js';
await customElements.whenDefined('srs-player');
hydrateRoot(document.getElementById('root') ?? document.body, tree);
`);
  const { stdout } = await run(process.execPath, ['src/render.mjs'], { cwd: project });
  writeFileSync(join(project, 'hydrate.html'), `<!doctype html><link rel="icon" href="data:,"><div id="root">${stdout.trim()}</div>
<script src="${gateway.http}/srs-player.js"></script><script type="module" src="/src/hydrate.js"></script>`);
  const { page, errors, close } = await openPage(browser);
  await page.goto(`${await serve()}/hydrate.html`);
  await plays(page);
  const attributes = () => page.evaluate(() => [...document.querySelectorAll('srs-player')].map((one) => [one.getAttribute('state'), one.getAttribute('code')]));
  await until('the attributes', async () => JSON.stringify(await attributes()) === '[["live",null],["error","unsupported-protocol"]]');
  assert.equal(await page.evaluate(() => document.querySelector('srs-player').matches(':state(live)')), true);
  assert.deepEqual(errors, []);
  await close();
});

test('the types are right: of the modules, in JSX, and of elements in the page', LIMIT, async () => {
  writeFileSync(join(project, 'src/types.ts'), `
import { Player, SrsPlayer, SrsPublisher, type PlayerState, type Token } from 'lianmai';
import { Player as Same } from 'lianmai/player';
import { SrsPublisherElement } from 'lianmai/publisher';
const token: Token = async () => (await fetch('/token')).text();
const player: Same = new Player(document.createElement('video'), { latency: 'realtime', token, loop: true });
player.addEventListener('stats', ({ detail }) => detail.latency.toFixed());
const element = document.querySelector('srs-player')!;
element.token = token;
const state: PlayerState = element.state;
element.addEventListener('statechange', ({ detail }) => detail.reason.length + state.length);
const other: SrsPublisherElement = document.createElement('srs-publisher');
void new SrsPlayer(element, '/x.flv', { muted: true }).play();
void new SrsPublisher(other, '/x/whip', { token, preview: true }).publish();
// @ts-expect-error there is no such latency
player.latency = 'none';
// @ts-expect-error a token is no number
element.token = 1;
`);
  const tsc = () => run(join(project, 'node_modules/.bin/tsc'), ['--project', project]);
  await tsc().catch(({ stdout }) => assert.fail(stdout));
  writeFileSync(join(project, 'src/wrong.tsx'), "import 'lianmai/react';\nexport const wrong = <srs-player latency=\"none\" />;\n");
  await assert.rejects(tsc(), ({ stdout }) => /wrong\.tsx.*Latency/.test(stdout));
  rmSync(join(project, 'src/wrong.tsx'));
});

test('on a server importing does nothing and does not fail, and React and Vue render the tag', LIMIT, async () => {
  writeFileSync(join(project, 'ssr.mjs'), `
import 'lianmai';
import { Player, SrsPlayer, SrsPlayerElement, SrsPublisher, SrsPublisherElement } from 'lianmai';
import 'lianmai/player';
import 'lianmai/publisher';
import 'lianmai/react';
import 'lianmai/vue';
import 'lianmai/sdk.js';
import { createElement } from 'react';
import { renderToString as react } from 'react-dom/server';
import { createSSRApp, h } from 'vue';
import { renderToString as vue } from 'vue/server-renderer';
const props = { url: '/live/x.flv', autoplay: true, muted: true, controls: true, title: 'Live' };
console.log(JSON.stringify({
  types: [Player, SrsPlayer, SrsPlayerElement, SrsPublisher, SrsPublisherElement].map((part) => typeof part),
  react: react(createElement('srs-player', { ...props, token: () => 'secret' })),
  vue: await vue(createSSRApp({ render: () => h('srs-player', props) })),
}));
`);
  const { stdout, stderr } = await run(process.execPath, ['ssr.mjs'], { cwd: project });
  const { types, react, vue } = JSON.parse(stdout);
  assert.equal(stderr, '');
  assert.deepEqual(types, Array(5).fill('function'));
  for (const html of [react, vue]) {
    assert.match(html, /^<srs-player url="\/live\/x\.flv"[^>]* autoplay[^>]* title="Live"[^>]*><\/srs-player>$/);
    assert.ok(!html.includes('secret'));
  }
});

test('the package has the files that it names, and no others', () => {
  const names = packed.files.map(({ path }) => path);
  const manifest = JSON.parse(readFileSync(join(root, 'player-wasm/package.json'), 'utf8'));
  const paths = (/** @type {any} */ entry) => (typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(paths));
  for (const path of [...paths(manifest.exports), ...manifest.sideEffects, manifest.main, manifest.types]) {
    if (!path.includes('*')) assert.ok(names.includes(path.replace('./', '')), path);
  }
  for (const name of ['LICENSE', 'README.md', 'package.json']) assert.ok(names.includes(name), name);
  const odd = names.filter((name) => !/^(LICENSE|README\.md|package\.json|dist\/.*\.(js|d\.ts|wasm))$/.test(name));
  assert.deepEqual(odd, []);
});

test('tree shaking keeps the definitions, and a page that only plays gets no publisher', async () => {
  const page = (/** @type {string} */ name) => {
    const html = readFileSync(join(project, 'dist', name), 'utf8');
    return [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, file]) => readFileSync(join(project, 'dist', file), 'utf8')).join('\n');
  };
  const plain = page('index.html');
  assert.match(plain, /define\([`'"]srs-player/);
  assert.doesNotMatch(plain, /srs-publisher/);
  assert.match(page('beside.html'), /define\([`'"]srs-publisher/);
});
