import { now } from './clock.js';

/** Milliseconds that audio is waited for where the video cannot be played. */
const WAIT = 1_500;

/** @typedef {Promise<{ word: string, text: string } | undefined>} Reason why the browser cannot play a track */

/** Notes that the video of a stream cannot be played, until there is audio. */
export class Unplayable {
  /** Since when there is such video, and nothing else. */
  #since = 0;
  /** @type {Reason} */
  #why = Promise.resolve(undefined);

  /** Whether there is such video, and nothing else. */
  get found() { return this.#since > 0; }

  /** @param {Reason} why */
  add(why) {
    this.#since ||= now();
    this.#why = why;
  }

  /** Whether no audio has come in time: where there is audio, it plays without the video. @param {import('../../player_wasm.js').Engine} engine */
  lasts(engine) {
    if (engine.codec('video') || engine.codec('audio')) this.#since = 0;
    return this.found && now() - this.#since > WAIT;
  }

  /** The reason. There is no such video any more. */
  take() {
    this.#since = 0;
    return this.#why;
  }
}
