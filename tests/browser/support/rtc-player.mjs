// A gateway with a stream, Chromium, and pages with a WebRTC player, for the tests that import this module.
import { spawn } from 'node:child_process';
import { after, before } from 'node:test';
import { launch, openPage, startGateway, until } from '../harness.mjs';

/** @type {Awaited<ReturnType<typeof startGateway>>} */ export let gateway;
/** @type {import('playwright-core').Browser} */ export let browser;
/** Ends the stream live/x that most tests play. @type {() => Promise<void>} */ export let unpublish;

before(async () => {
  gateway = await startGateway(['--reconnect', '3']);
  unpublish = publish('x');
  browser = await launch(['--mute-audio']);
});
after(async () => {
  await browser?.close();
  await unpublish?.();
  await gateway?.stop();
});

/**
 * Publishes a test video and a tone until it is stopped.
 * @param {string} name
 * @param {{ size?: string, video?: boolean, audio?: boolean, to?: string }} [options]
 */
export function publish(name, { size = '640x360', video = true, audio = true, to = gateway.rtmp } = {}) {
  const input = [
    ...(video ? ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`] : []),
    ...(audio ? ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'] : []),
  ];
  const coded = [
    ...(video ? ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '120'] : []),
    ...(audio ? ['-c:a', 'aac'] : []),
  ];
  const child = spawn('ffmpeg', ['-v', 'error', '-re', ...input, ...coded, '-f', 'flv', `${to}/live/${name}`],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/** Returns a `webrtc://` address of the gateway. @param {string} name */
export const address = (name) => `webrtc://${new URL(gateway.http).host}/live/${name}`;

/**
 * Opens a page of a gateway's origin with the player's script.
 * @param {import('playwright-core').Page} page
 * @param {string} body
 * @param {string} [at] the gateway
 */
export async function goto(page, body, at = gateway.http) {
  const html = `<!doctype html><title>test</title><link rel="icon" href="data:,">${body}<script src="/srs-player.js"></script>`;
  await page.route(`${at}/test`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto(`${at}/test`);
}

/** In the page: a busy machine takes longer for a connection, or for a frame, than the player waits for one. */
export const patience = () => {
  const real = setTimeout;
  window.setTimeout = (work, wait, ...more) => real(work, wait >= 3_000 ? wait * 10 : wait, ...more);
};

/**
 * A page of the gateway's origin with one player, before it is given an address.
 * @param {{ attributes?: string, script?: () => void, from?: import('playwright-core').Browser, at?: string, patient?: boolean }} [options]
 *   `patient: false`: the player gives up on WebRTC after its usual time
 */
export async function open({ attributes = '', script, from = browser, at = gateway.http, patient = true } = {}) {
  const opened = await openPage(from);
  const { page } = opened;
  await page.addInitScript(() => {
    // The events, in order.
    Object.assign(window, { states: [], warnings: [], posts: [] });
    document.addEventListener('statechange', (event) => window.states.push(event.detail.state), true);
    document.addEventListener('warning', (event) => window.warnings.push(event.detail), true);
  });
  if (patient) await page.addInitScript(patience);
  if (script) await page.addInitScript(script);
  /** @type {string[]} */
  const requests = [];
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
  await goto(page, `<srs-player controls ${attributes}></srs-player>`, at);
  await page.waitForFunction(() => customElements.get('srs-player'));
  const player = page.locator('srs-player');
  /** @type {(read: (player: any, value?: any) => any, value?: any) => Promise<any>} */
  const look = (read, value) => player.evaluate(read, value);
  const all = () => look((p) => ({
    state: p.state, reason: p.reason, error: p.error, stats: p.stats, ready: p.readyState, time: p.currentTime,
    width: p.videoWidth, paused: p.paused, decoded: p.getVideoPlaybackQuality().totalVideoFrames, warnings: window.warnings,
    states: window.states,
  }));
  const see = (what, check) => until(what, async () => {
    const now = await all();
    return check(now) ? now : undefined;
  }).catch(async (error) => { throw new Error(`${error.message} ${JSON.stringify(await all())}`); });
  return {
    ...opened, requests, look, all, see,
    play: (url) => look((p, value) => {
      p.url = value;
      p.play().catch(() => {});
    }, url),
    state: (name) => see(`state ${name}`, ({ state }) => state === name),
    pixels: () => look((p) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 18 });
      const context = canvas.getContext('2d');
      context.drawImage(p.video, 0, 0, 32, 18);
      return context.getImageData(0, 0, 32, 18).data.join(',');
    }),
    /** Checks that the video moves: more frames are decoded, and pixels change. */
    async moves() {
      const first = await this.see('a picture', ({ state, width }) => state === 'live' && width > 0);
      await this.see('more frames', ({ decoded, time }) => decoded !== first.decoded && time !== first.time);
      const before = await this.pixels();
      await until('other pixels', async () => (await this.pixels()) !== before);
    },
    /** Returns the peak level of the audio within a fifth of a second, 0 to 1. */
    loudness: () => look(async (p) => {
      const audio = new AudioContext();
      const analyser = audio.createAnalyser();
      audio.createMediaStreamSource(p.video.srcObject).connect(analyser);
      await audio.resume();
      const samples = new Float32Array(analyser.fftSize);
      let peak = 0;
      for (let n = 0; n < 10; n++) {
        await new Promise((resolve) => { setTimeout(resolve, 20); });
        analyser.getFloatTimeDomainData(samples);
        for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      }
      await audio.close();
      return peak;
    }),
    sounds() { return until('sound', async () => (await this.loudness()) > 0.02); },
  };
}

/** Returns the number of viewers of a stream. @param {string} name @param {string} [at] */
export async function viewers(name, at = gateway.http) {
  const { streams } = await (await fetch(`${at}/api/v1/streams?count=100`)).json();
  const found = streams.find((stream) => stream.name === name);
  return found ? found.clients - (found.publish.cid ? 1 : 0) : 0;
}
