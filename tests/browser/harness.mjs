// Shared functions of the browser tests: start Debian's Chromium, start a gateway, wait for conditions.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Maximum time of a wait, in milliseconds, long enough for a busy machine: the tests do not measure speed. */
const PATIENCE = 60_000;

/** Options with the timeout of a test. */
export const LIMIT = { timeout: 300_000 };

/**
 * @param {string[]} args more flags of Chromium
 * @param {boolean} [autoplay] whether pages may play audio without a click
 */
export function launch(args = [], autoplay = true) {
  return chromium.launch(chromiumOptions(args, autoplay));
}

/** A Chromium that a test can kill. @param {string[]} [args] */
export async function launchServer(args = []) {
  const server = await chromium.launchServer(chromiumOptions(args, true));
  const browser = await chromium.connect(server.wsEndpoint());
  return { browser, pid: Number(server.process().pid), kill: () => server.kill(), close: () => server.close() };
}

/** @param {string[]} args @param {boolean} autoplay */
function chromiumOptions(args, autoplay) {
  const policy = autoplay ? 'no-user-gesture-required' : 'document-user-activation-required';
  return {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', `--autoplay-policy=${policy}`, ...args],
  };
}

/**
 * Waits until `check` returns a true value, and returns that value. The timeout cannot be shortened: a test must not
 * measure speed by the clock of a busy machine.
 * @template T
 * @param {string} what the condition, for the error message
 * @param {() => T | Promise<T>} check
 * @param {() => unknown} [explain] returns more text for the error message
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, check, explain) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const last = await check();
    if (last) return last;
    if (performance.now() > end) {
      const seen = JSON.stringify(explain ? await explain() : last);
      throw new Error(`waited ${PATIENCE} ms in vain for: ${what} (last: ${seen})`);
    }
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

/** The settings of `lianmai serve` that hold a listener's address. Their defaults are fixed ports. */
const LISTENERS = ['--rtmp', '--http', '--https', '--webrtc'];

/**
 * A fixed port may belong to a gateway of the person who runs the tests.
 * @param {string[]} args of `lianmai`
 */
function refuseFixedPorts(args) {
  for (const listener of LISTENERS) {
    const values = args.filter((_, at) => args[at - 1] === listener);
    // Ports from 10000 on were handed out by the system; the defaults are below.
    const free = (/** @type {string} */ address) => /:0$/.test(address) || Number(address.split(':').pop()) >= 10_000;
    if (values.length !== 1 || !values[0].split(',').every(free)) {
      throw new Error(`lianmai ${args.join(' ')}: ${listener} must be port 0, or where one of the test's listeners was`);
    }
  }
}

/**
 * Starts a gateway on free ports.
 * @param {string[]} flags
 * @param {{ rtmp: string, http: string[], webrtc: string }} [at] where one listened that this one takes the place of
 * @param {Record<string, string>} [variables] of its environment
 * @returns {Promise<{ http: string, https: string, rtmp: string, webrtc: string, addresses: any, secret: string, consoleLink: (person?: string) => string, log: () => string, stop: () => Promise<void> }>}
 */
export async function startGateway(flags = [], at = { rtmp: '127.0.0.1:0', http: ['127.0.0.1:0'], webrtc: '127.0.0.1:0' }, variables = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'lianmai-'));
  const ready = join(folder, 'ready.json');
  const binary = process.env.LIANMAI ?? new URL('../../target/debug/lianmai', import.meta.url).pathname;
  const args = [
    'serve', '--rtmp', at.rtmp, '--http', at.http[0], '--https', '127.0.0.1:0', '--webrtc', at.webrtc,
    '--data', folder, '--ready-file', ready, ...flags,
  ];
  refuseFixedPorts(args);
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...variables } });
  let log = '';
  child.stdout.on('data', (data) => { log += data; });
  child.stderr.on('data', (data) => { log += data; });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  const addresses = await until('the gateway', () => {
    if (child.exitCode !== null) throw new Error(`the gateway ended: ${log}`);
    try {
      // A public gateway listens on all addresses. Use 127.0.0.1.
      return JSON.parse(readFileSync(ready, 'utf8').replaceAll('"[::]:', '"127.0.0.1:'));
    } catch {
      return null;
    }
  });
  // The operator's secret, if the gateway has created one.
  const kept = join(folder, 'operator-secret');
  const secret = existsSync(kept) ? readFileSync(kept, 'utf8').trim() : '';
  const consoleLink = (person = 'operator') => {
    const { stdout, stderr } = spawnSync(binary, ['console', '--data', folder, '--sub', person], { encoding: 'utf8' });
    if (!stdout) throw new Error(stderr);
    return stdout.trim();
  };
  const stop = async (signal = 'SIGTERM') => {
    child.kill(signal);
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    http: `http://${addresses.http[0]}`, https: `https://${addresses.https}`, rtmp: `rtmp://${addresses.rtmp}`,
    webrtc: addresses.webrtc, addresses, secret, consoleLink, log: () => log, stop,
  };
}

/**
 * Returns the reasons for which the gateway has ended the WebRTC sessions of a stream, from its log: the peer closed the
 * session, or the session timed out.
 * @param {{ log: () => string }} gateway
 * @param {string} stream such as `live/x`
 */
export function endings(gateway, stream) {
  const lines = gateway.log().split('\n').filter((line) => line.includes(`stream=${stream} `) && /protocol="?(whip|whep|webrtc)\b.* disconnected\b/.test(line));
  return lines.map((line) => /reason="([^"]*)"/.exec(line)?.[1] ?? line);
}

/**
 * Opens a page that records unwanted events: errors in the console, and requests to other hosts.
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  /** @type {string[]} */
  const errors = [];
  /** @type {string[]} */
  const hosts = [];
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    const { host, protocol } = new URL(request.url());
    if (/^(http|ws)/.test(protocol) && !hosts.includes(host)) hosts.push(host);
  });
  return { page, errors, hosts, close: () => context.close() };
}

/**
 * Returns the accessibility errors that axe finds in a page.
 * @param {import('playwright-core').Page} page
 */
export async function axe(page) {
  // Do not add a script element: the pages' policy forbids it.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
  const { violations } = await page.evaluate('axe.run()');
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html, any }) => [html, any[0]?.message])]);
}
