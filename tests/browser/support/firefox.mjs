// Controls Firefox directly by WebDriver BiDi, without a driver.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const PREFS = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // Use only the codecs of Debian's Firefox: download no plugins.
  'media.gmp-provider.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  // Firefox reaches this machine directly, and no other host.
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1', 'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1', 'network.proxy.ssl_port': 9,
  'network.proxy.no_proxies_on': 'localhost, 127.0.0.1',
};

/**
 * Starts a Firefox without windows.
 * @returns {Promise<{ open: (url: string) => Promise<FirefoxPage>, close: () => Promise<void> }>}
 *
 * @typedef {object} FirefoxPage
 * @property {(expression: string) => Promise<any>} evaluate as after a click; the result is converted to JSON
 * @property {() => Promise<unknown>} close
 */
export async function startFirefox() {
  const profile = mkdtempSync(join(tmpdir(), 'lianmai-firefox-'));
  writeFileSync(join(profile, 'user.js'), Object.entries(PREFS).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(''));
  const child = spawn(process.env.FIREFOX ?? '/usr/bin/firefox-esr', ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, MOZ_CRASHREPORTER_DISABLE: '1', HOME: profile } });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  const address = await new Promise((resolve, reject) => {
    let log = '';
    child.stderr.on('data', (data) => {
      log += data;
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(log);
      if (found) resolve(found[1]);
    });
    child.on('exit', () => reject(new Error(`Firefox ended: ${log}`)));
  });
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => { socket.on('open', resolve).on('error', reject); });
  const waiting = new Map();
  let last = 0;
  socket.on('message', (data) => {
    const { id, type, result, message } = JSON.parse(String(data));
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (type === 'success') resolve?.(result);
    else reject?.(new Error(message));
  });
  const send = (/** @type {string} */ method, params = {}) => new Promise((resolve, reject) => {
    const id = ++last;
    waiting.set(id, { resolve, reject });
    socket.send(JSON.stringify({ id, method, params }));
  });
  await send('session.new', { capabilities: {} });
  return {
    async open(url) {
      const { context } = await send('browsingContext.create', { type: 'tab' });
      await send('browsingContext.navigate', { context, url, wait: 'complete' });
      return {
        async evaluate(expression) {
          const { result, exceptionDetails } = await send('script.evaluate', {
            expression: `(async () => JSON.stringify(await (${expression})) ?? 'null')()`,
            target: { context }, awaitPromise: true, userActivation: true,
          });
          if (exceptionDetails) throw new Error(exceptionDetails.text);
          return JSON.parse(result.value);
        },
        close: () => send('browsingContext.close', { context }),
      };
    },
    async close() {
      await send('browser.close').catch(() => {});
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
