// Controls Chromium by its raw protocol, because Playwright reports every page as visible and focused.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Starts a browser.
 * @param {string[]} [more] further flags
 * @returns {Promise<{send: (method: string, params?: object, session?: string) => Promise<any>,
 *   open: (url: string, before?: () => void) => Promise<{target: string, evaluate: (expression: string) => Promise<any>}>,
 *   show: (target: string) => Promise<unknown>, close: () => Promise<void>}>}
 */
export async function startRawBrowser(more = []) {
  const profile = mkdtempSync(join(tmpdir(), 'lianmai-chromium-'));
  const child = spawn(process.env.CHROMIUM ?? '/usr/bin/chromium', [
    '--headless=new', '--no-sandbox', '--no-first-run', '--remote-debugging-pipe', `--user-data-dir=${profile}`,
    '--autoplay-policy=no-user-gesture-required', '--mute-audio', ...more, 'about:blank',
  ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const [, , , output, input] = /** @type {any} */ (child.stdio);
  const waiting = new Map();
  let last = 0;
  let text = '';
  input.setEncoding('utf8');
  input.on('data', (/** @type {string} */ piece) => {
    text += piece;
    const messages = text.split('\0');
    text = messages.pop() ?? '';
    for (const message of messages.map((one) => JSON.parse(one))) {
      const { resolve, reject } = waiting.get(message.id) ?? {};
      waiting.delete(message.id);
      if (message.error) reject?.(new Error(message.error.message));
      else resolve?.(message.result);
    }
  });
  const send = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    const id = ++last;
    waiting.set(id, { resolve, reject });
    output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });
  return {
    send,
    /** Opens a page in which a function runs before the page's own scripts. */
    async open(url, before) {
      const { targetId: target } = await send('Target.createTarget', { url: before ? 'about:blank' : url });
      const { sessionId } = await send('Target.attachToTarget', { targetId: target, flatten: true });
      if (before) {
        await send('Page.enable', {}, sessionId);
        await send('Page.addScriptToEvaluateOnNewDocument', { source: `(${before})()` }, sessionId);
        await send('Page.navigate', { url }, sessionId);
      }
      const evaluate = async (expression) => {
        const { result, exceptionDetails } = await send('Runtime.evaluate',
          { expression, awaitPromise: true, returnByValue: true }, sessionId);
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      };
      return { target, evaluate };
    },
    show: (target) => send('Target.activateTarget', { targetId: target }),
    async close() {
      const ended = new Promise((resolve) => child.on('exit', resolve));
      await send('Browser.close').catch(() => {});
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
