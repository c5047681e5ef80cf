import { now } from './clock.js';

/** Milliseconds to wait for audio when the video cannot be played. */
const WAIT = 1_500;

/** @typedef {Promise<{ word: string, text: string } | undefined>} Reason why the browser cannot play a track */

/** Tracks whether a stream has nothing but video that cannot be played. */
export class Unplayable {
  /** Time since when the stream has only such video; 0 if it does not. */
  #since = 0;
  /** @type {Reason} */
  #why = Promise.resolve(undefined);

  /** Whether the stream has only such video. */
  get found() { return this.#since > 0; }

  /** @param {Reason} why */
  add(why) {
    this.#since ||= now();
    this.#why = why;
  }

  /** Returns whether no audio has arrived in time. Audio plays without the video. @param {import('../../player_wasm.js').Engine} engine */
  lasts(engine) {
    if (engine.codec('video') || engine.codec('audio')) this.#since = 0;
    return this.found && now() - this.#since > WAIT;
  }

  /** Returns the reason, and forgets the video. */
  take() {
    this.#since = 0;
    return this.#why;
  }
}
