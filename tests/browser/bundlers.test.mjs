// The npm package in typical projects: built by webpack, Next, Parcel, Rollup and esbuild without configuration, and
// opened in Chromium. (Vite, and the package itself: npm.test.mjs.)
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { LIMIT, launch, openPage, startGateway } from './harness.mjs';
import { PlayerPage } from './support/browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const source = join(root, 'tests/bundlers');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json' };

/** Returns all files below a folder. @param {string} folder @returns {string[]} */
const filesOf = (folder) => readdirSync(folder, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name)).sort();

/** Returns a hash of the contents of files. @param {string[]} files */
function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/**
 * Where the project is, with its packages, which are installed once for each lock file; and the packed package.
 * @returns {Promise<string>}
 */
async function prepare() {
  const all = join(root, 'target/tmp/bundlers');
  const project = join(all, digest([join(source, 'package-lock.json')]));
  if (!existsSync(project)) {
    // Those of older lock files are large.
    rmSync(all, { recursive: true, force: true });
    const unfinished = join(all, `unfinished-${process.pid}`);
    mkdirSync(unfinished, { recursive: true });
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) cpSync(join(source, name), join(unfinished, name));
    const install = () => run('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: unfinished });
    // The registry may fail once.
    await install().catch(install);
    renameSync(unfinished, project);
  }
  cpSync(source, project, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: join(root, 'player-wasm') });
  const [{ filename }] = JSON.parse(stdout);
  const lianmai = join(project, 'node_modules/lianmai');
  rmSync(lianmai, { recursive: true, force: true });
  mkdirSync(lianmai);
  await run('tar', ['-xzf', join(project, filename), '-C', lianmai, '--strip-components=1']);
  return project;
}

/** Builds the page with a bundler, unless it was built with the same files before. @param {string} name */
async function build(name) {
  const out = join(project, 'out', name);
  const is = digest([...filesOf(source), ...filesOf(join(project, 'node_modules/lianmai'))]);
  const made = join(project, `${name}.built`);
  if (existsSync(made) && readFileSync(made, 'utf8') === is) return out;
  rmSync(out, { recursive: true, force: true });
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production', CI: '1' };
  await run(process.execPath, ['build.mjs', name], { cwd: project, env });
  writeFileSync(made, is);
  return out;
}

/** @type {string} */ let project;
/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:http').Server} */ let server;
let origin = '';

before(async () => {
  [project, gateway, browser] = await Promise.all([prepare(), startGateway(['--demo']), launch()]);
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    // A folder with a copy of the package's files, for `base`.
    const folder = pathname.startsWith('/lianmai/') ? 'node_modules/lianmai/dist/srs-player' : 'out';
    const file = join(project, folder, normalize(pathname.replace(/^\/lianmai/, '').replace(/\/$/, '/index.html')));
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader('content-type', TYPES[/** @type {keyof typeof TYPES} */ (extname(file))] ?? 'application/octet-stream');
    return response.end(readFileSync(file));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  origin = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
}, LIMIT);
after(async () => {
  server?.closeAllConnections();
  server?.close();
  await browser?.close();
  await gateway?.stop();
});

/**
 * Opens a built page; what it said in the console and how many workers it has once it plays.
 * @param {string} address
 */
async function opened(address) {
  const { page, errors, close } = await openPage(browser);
  await page.addInitScript(() => {
    const log = [];
    addEventListener('warning', ({ detail }) => log.push(detail), true);
    Object.assign(window, { warned: log });
  });
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector('srs-player')?.video);
  await page.evaluate(() => {
    const player = document.querySelector('srs-player');
    Object.assign(window, { player, video: player.video, log: [] });
    player.addEventListener('warning', ({ detail }) => window.warned.push(detail.code));
  });
  await new PlayerPage(page).moves();
  const workers = page.workers().length;
  await close();
  return { errors, workers };
}

for (const name of ['webpack', 'next', 'parcel']) {
  test(`${name}: plays out of a worker`, LIMIT, async (t) => {
    const begin = performance.now();
    await build(name);
    t.diagnostic(`built in ${Math.round(performance.now() - begin)} ms`);
    // Next's site is for the top of its host.
    if (name === 'next') cpSync(join(project, 'out/next/_next'), join(project, 'out/_next'), { recursive: true });
    assert.deepEqual(await opened(`${origin}/${name}/?url=${gateway.http}/live/livestream.flv`), { errors: [], workers: 1 });
  });
}

for (const name of ['rollup', 'esbuild']) {
  test(`${name}: plays on the page's thread, and out of a worker with \`base\``, LIMIT, async () => {
    await build(name);
    const address = `${origin}/${name}/?url=${gateway.http}/live/livestream.flv`;
    const { errors, workers } = await opened(address);
    assert.equal(workers, 0);
    // The files that these bundlers omit.
    assert.deepEqual(errors.filter((text) => !/404/.test(text)), []);
    assert.deepEqual(await opened(`${address}&base=/lianmai/`), { errors: [], workers: 1 });
    // The files of a gateway work as well, with a worker of another origin.
    assert.deepEqual(await opened(`${address}&base=${gateway.http}/srs-player/`), { errors: [], workers: 1 });
  });
}
