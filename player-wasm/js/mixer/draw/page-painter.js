// Draws on the page, for browsers that do not give and take single frames: from <video> elements onto a canvas.

import { startClock } from './clock.js';
import { Scene } from './scene.js';

/** @typedef {import('./painter.js').PaintOptions} PaintOptions */
/** @typedef {import('./messages.js').FromMix} FromMix */

/** Milliseconds between counts. */
const COUNT = 100;

/** A {@link import('./painter.js').Painter}. */
export class PagePainter {
  track;
  #scene; #canvas; #worker; #oncount;
  #stop = () => {};
  /** @type {Map<string, HTMLVideoElement>} */
  #videos = new Map();
  #frames = 0;
  #told = 0;

  /**
   * @param {PaintOptions} options
   * @param {Worker | null} worker the clock; none: the page's own timer, which a hidden page has once a second
   * @param {(count: Extract<FromMix, { type: 'count' }>) => void} oncount
   */
  constructor({ width, height, rate }, worker, oncount) {
    /** @type {HTMLCanvasElement[]} */
    const made = [];
    this.#scene = new Scene(width, height, (w, h) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
      made.push(canvas);
      return canvas;
    }, () => {});
    this.#canvas = /** @type {HTMLCanvasElement} */ (made[0]);
    this.track = /** @type {MediaStreamTrack} */ (this.#canvas.captureStream(rate).getVideoTracks()[0]);
    this.#oncount = oncount;
    this.#worker = worker;
    if (worker) {
      worker.onmessage = (/** @type {MessageEvent<FromMix>} */ { data }) => { if (data.type === 'tick') this.#tick(); };
      worker.postMessage({ type: 'start', width, height, rate });
    } else {
      this.#stop = startClock(rate, () => this.#tick());
    }
  }

  /** @param {import('./messages.js').ToMix} message */
  post(message) {
    if (message.type === 'look') this.#scene.look = message.look;
    else if (message.type === 'sources') this.#scene.sources = message.sources;
    else if (message.type === 'states') this.#scene.update(message.states, performance.now());
  }

  /** @param {string} id @param {MediaStreamTrack | null} track */
  use(id, track) {
    const before = this.#videos.get(id);
    this.#videos.delete(id);
    // The scene keeps the last picture for a while.
    before?.pause();
    if (!track) return;
    const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
    video.play().catch(() => {});
    this.#videos.set(id, video);
  }

  close() {
    this.#stop();
    this.#worker?.terminate();
    this.track.stop();
    for (const id of [...this.#videos.keys()]) this.use(id, null);
  }

  #tick() {
    for (const [id, image] of this.#videos) {
      const { videoWidth: width, videoHeight: height, readyState } = image;
      if (width && readyState >= 2) this.#scene.show(id, { image, width, height, version: NaN });
    }
    const now = performance.now();
    this.#scene.draw(now);
    this.#frames++;
    if (now - this.#told < COUNT) return;
    this.#told = now;
    this.#oncount({ type: 'count', frames: this.#frames, skipped: 0, speaker: this.#scene.speaker });
  }
}
