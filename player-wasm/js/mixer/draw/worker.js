// Mixes in a Worker: its timers go on at full rate while the page is hidden.
//
// in:  start, look, sources, states, track, stop
// out: ready, tick (at the rate of the mix, if the page draws), count (ten times a second)

import { startClock } from './clock.js';
import { FrameInputs, FrameOutput } from './frames.js';
import { Scene } from './scene.js';

/** @typedef {import('./messages.js').ToMix} ToMix */
/** @typedef {{ postMessage: (message: import('./messages.js').FromMix) => void, onmessage: unknown }} Scope */

const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
/** Milliseconds between counts. */
const COUNT = 100;

/** @type {{ scene: Scene, inputs: FrameInputs, output: FrameOutput } | null} */
let mix = null;
let stop = () => {};

/** @param {Extract<ToMix, { type: 'start' }>} message */
function start({ width, height, rate, writable }) {
  if (writable) {
    const scene = new Scene(width, height, (w, h) => new OffscreenCanvas(w, h), (image) => /** @type {VideoFrame} */ (image).close());
    mix = { scene, inputs: new FrameInputs(scene), output: new FrameOutput(scene, writable) };
  }
  let [late, frames, told] = [0, 0, 0];
  stop = startClock(rate, (missed) => {
    late += missed;
    frames++;
    if (mix) mix.output.write();
    else scope.postMessage({ type: 'tick' });
    const now = performance.now();
    if (now - told < COUNT) return;
    told = now;
    scope.postMessage({ type: 'count', frames, skipped: late + (mix?.output.skipped ?? 0), speaker: mix?.scene.speaker ?? -1 });
  });
}

scope.onmessage = (/** @type {MessageEvent<ToMix>} */ { data }) => {
  if (data.type === 'start') return start(data);
  if (data.type === 'stop') {
    stop();
    mix?.inputs.close();
    mix?.output.close();
    if (mix) mix.scene.sources = [];
    mix = null;
  } else if (data.type === 'track') mix?.inputs.use(data.id, data.readable);
  else if (data.type === 'look' && mix) mix.scene.look = data.look;
  else if (data.type === 'sources' && mix) mix.scene.sources = data.sources;
  else if (data.type === 'states') mix?.scene.update(data.states, performance.now());
  return undefined;
};
scope.postMessage({ type: 'ready' });
