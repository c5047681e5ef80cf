// Starts Chromium, and a page with one player that a test can observe.

import { chromium } from 'playwright-core';

import { until } from '../harness.mjs';

/** Starts Debian's Chromium. @param {string[]} [more]  further flags */
export function startBrowser(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--mute-audio', ...more],
  });
}

/** A page with a player. */
export class PlayerPage {
  /**
   * @param {import('playwright-core').Browser} browser
   * @param {string} origin  of a server with the built package
   */
  static async open(browser, origin) {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error('page:', error.message));
    await page.goto(origin);
    return new PlayerPage(page);
  }

  /** @param {import('playwright-core').Page} page */
  constructor(page) { this.page = page; }

  /**
   * Plays an address.
   * @param {string} url
   * @param {import('../../../player-wasm/js/player/engine/player.js').PlayerOptions} [options]
   */
  async play(url, options = {}) {
    await this.page.evaluate(async ([url, options]) => {
      const { Player } = await import('/srs-player/player.js');
      const video = document.querySelector('video');
      const player = new Player(video, options);
      const log = [];
      const started = performance.now();
      for (const type of ['state', 'warning', 'error']) {
        player.addEventListener(type, (event) => log.push({ type, at: performance.now() - started, ...event.detail }));
      }
      Object.assign(window, { player, video, log });
      player.load(url);
      player.play().catch((error) => log.push({ type: 'play', message: String(error) }));
    }, [url, options]);
  }

  /** Returns the visible state. */
  look() {
    return this.page.evaluate(() => {
      const { player, video, log } = window;
      const { buffered } = video;
      const end = buffered.length ? buffered.end(buffered.length - 1) : 0;
      return {
        state: player.state, stats: player.stats, log, time: video.currentTime, ready: video.readyState,
        paused: video.paused, width: video.videoWidth, height: video.videoHeight, end,
        start: buffered.length ? buffered.start(0) : 0, ranges: buffered.length, error: video.error?.message,
        decoded: video.getVideoPlaybackQuality().totalVideoFrames,
      };
    });
  }

  /** Returns a few hundred pixels of the frame as a string, for comparison. */
  pixels() {
    return this.page.evaluate(() => {
      const canvas = document.createElement('canvas');
      canvas.width = 32;
      canvas.height = 18;
      const context = canvas.getContext('2d');
      context.drawImage(window.video, 0, 0, 32, 18);
      return context.getImageData(0, 0, 32, 18).data.join(',');
    });
  }

  /** Returns the loudest sample that the element plays within a tenth of a second, 0 to 1. */
  loudness() {
    return this.page.evaluate(async () => {
      if (!window.analyser) {
        const audio = new AudioContext();
        const analyser = audio.createAnalyser();
        audio.createMediaElementSource(window.video).connect(analyser).connect(audio.destination);
        await audio.resume();
        Object.assign(window, { analyser });
      }
      const samples = new Float32Array(window.analyser.fftSize);
      let peak = 0;
      for (let n = 0; n < 10; n++) {
        window.analyser.getFloatTimeDomainData(samples);
        for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return peak;
    });
  }

  /** Checks that the video moves: time and decoded frames grow, and pixels change. */
  async moves() {
    const first = await this.look();
    let pixels = '';
    await until('time and frames grow', async () => {
      const { time, decoded, ready } = await this.look();
      const grown = ready >= 3 && time > first.time + 0.3 && decoded !== first.decoded;
      if (grown) pixels = await this.pixels();
      return grown;
    }, () => this.look());
    await until('pixels change', async () => (await this.pixels()) !== pixels, () => this.look());
  }

  /** Waits until it plays at most `lag` seconds behind live. @param {number} lag */
  near(lag) {
    return until(`at most ${lag} s behind live`, async () => {
      const { state, end, time, stats } = await this.look();
      return state === 'live' && end - time <= lag && stats.latency <= lag;
    }, () => this.look());
  }

  async close() { await this.page.context().close(); }
}
