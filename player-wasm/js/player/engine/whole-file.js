import { now } from './clock.js';

/** Seconds that a live stream may be ahead of the clock: a server sends cached media at the start. */
const STORE = 30;
/** Minimum duration of a file in seconds. Less may come from the cache of a live server. */
const BRIEF = 5;

/**
 * Returns whether a response is a file although the server did not declare it: it came faster than live media, or it
 * ended at the duration in its header.
 * @param {import('../../player_wasm.js').Engine} engine
 * @param {{ at: number, end: number }} begun when the first frame arrived, and its media time
 * @param {number} seconds from the start of the response to its end; less than 0: the response continues
 */
export function isFile(engine, { at, end }, seconds) {
  if (!at) return false;
  const ahead = engine.end() - end - (now() - at) / 1000;
  const duration = engine.duration();
  // A publisher that streams a file sends its duration too, so most of the file must have come at once.
  const all = seconds >= 0 && duration > BRIEF && Math.abs(engine.end() - 1 - duration) < 1 + duration / 20 && ahead > 0.8 * duration;
  return ahead > STORE || all;
}
