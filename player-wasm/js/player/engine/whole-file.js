import { now } from './clock.js';

/** Seconds that a stream may be ahead of the clock and still be live: what a server has in store for a start. */
const STORE = 30;
/** A shorter duration than this, in seconds, proves no file: a server may have as much in store. */
const BRIEF = 5;

/**
 * Whether a response is a file although the server did not say so: it came faster than anything live, or ended where
 * its own head says.
 * @param {import('../../player_wasm.js').Engine} engine
 * @param {{ at: number, end: number }} begun when the first frame came, and its time
 * @param {number} seconds since the begin of the response, at its end; less than 0: it goes on
 */
export function isFile(engine, { at, end }, seconds) {
  if (!at) return false;
  const ahead = engine.end() - end - (now() - at) / 1000;
  const duration = engine.duration();
  // A publisher that sends a file also tells the duration of this file: most of it must have come at once.
  const all = seconds >= 0 && duration > BRIEF && Math.abs(engine.end() - 1 - duration) < 1 + duration / 20 && ahead > 0.8 * duration;
  return ahead > STORE || all;
}
