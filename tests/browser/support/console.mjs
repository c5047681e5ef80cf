// A gateway whose console a browser opens by its link, and streams for it.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { openPage, startGateway, until } from '../harness.mjs';

const CLIP = new URL('../../../demo/clip.flv', import.meta.url).pathname;

/** @param {string[]} [flags] */
export async function startConsole(flags = []) {
  const gateway = await startGateway(flags);
  /** @type {(() => void)[]} */
  const running = [];
  // The greeting may come a moment after the ready file.
  const printed = await until('the link', () => /(https?:\/\/\S+\/console\/)#(\S+)/.exec(gateway.log()));

  /** The operator's API, for what a test only looks at. @param {string} method @param {string} path */
  const api = async (method, path) => {
    const response = await fetch(gateway.http + path, { method, headers: { authorization: `Bearer ${gateway.secret}` } });
    return response.json();
  };

  return {
    gateway, printed: printed[0], link: gateway.consoleLink, api,

    /** @param {string} name of the stream, with its query @param {string[]} [more] of ffmpeg's options for the output */
    ffmpeg: (name, more = []) => {
      const child = spawn('ffmpeg', ['-v', 'error', '-re', '-stream_loop', '-1', '-i', CLIP, '-c', 'copy', ...more, '-f', 'flv', `${gateway.rtmp}/${name}`], { stdio: 'ignore' });
      const ended = new Promise((resolve) => { child.on('exit', resolve); });
      running.push(() => child.kill());
      return { ended, stop: () => child.kill() };
    },

    /** Many small streams: the beginning of a clip over HTTP, and now and then one more tag. @param {number} count @param {number} [everyMs] */
    publishMany: (count, everyMs = 2000) => {
      const clip = readFileSync(CLIP);
      for (let n = 0; n < count; n += 1) {
        const post = request(`${gateway.http}/many/s${String(n).padStart(3, '0')}.flv`, { method: 'POST' });
        post.on('error', () => {});
        let at = 60_000 + n * 10;
        post.write(clip.subarray(0, at));
        const timer = setInterval(() => {
          post.write(clip.subarray(at, at + 5000));
          at += 5000;
        }, everyMs);
        running.push(() => {
          clearInterval(timer);
          post.destroy();
        });
      }
    },

    /**
     * A browser that has never been here.
     * @param {import('playwright-core').Browser} browser
     * @param {string} address
     * @param {import('playwright-core').BrowserContextOptions} [options]
     */
    open: async (browser, address, options) => {
      const opened = await openPage(browser, options);
      await opened.page.goto(address);
      return opened;
    },

    stop: async () => {
      for (const end of running) end();
      await gateway.stop();
    },
  };
}
