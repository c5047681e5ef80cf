// Finds the input that speaks, so that it does not change with each cough. The constants are those of the gateway's mix.

import { visible } from './tiles.js';

/** Level from which somebody speaks, in dB below full scale. A quiet room with a microphone has -70 to -55. */
export const SPEECH = -50;
/** Decibels by which another input must be louder than the present speaker. */
const LOUDER_BY = 6;
/** Milliseconds during which another input must be louder, without a pause. */
const LOUDER_FOR = 400;
/** Milliseconds for which an input is at least the speaker. */
const HOLD = 2000;
/** Milliseconds: time constant of the average level. It bridges the gaps between syllables, and a cough is too short for it. */
const AVERAGE = 300;
/** Level below which all is silence. */
const FLOOR = -80;
/** Level of an input without audio. */
export const SILENT = -127;

export class Speaker {
  /** The average levels of the visible inputs by their ids. @type {Map<string, number>} */
  #levels = new Map();
  #current = '';
  #since = 0;
  /** The input that is louder, and since when. */
  #louder = { id: '', since: 0 };
  #now = 0;

  /**
   * Measures the inputs. Shared screens do not speak. Returns the position of the speaker, -1 before somebody has
   * spoken, and whether it speaks at this moment.
   * @param {(import('./tiles.js').Source & { level: number })[]} sources
   * @param {number} now milliseconds
   */
  update(sources, now) {
    const part = 1 - Math.exp(-Math.min(1000, Math.max(0, now - this.#now)) / AVERAGE);
    this.#now = now;
    const cameras = visible(sources).filter((n) => !sources[n]?.screen);
    const of = (/** @type {number} */ n) => /** @type {typeof sources[number]} */ (sources[n]);
    this.#levels = new Map(cameras.map((n) => {
      const level = Math.min(0, Math.max(FLOOR, of(n).level));
      const before = this.#levels.get(of(n).id) ?? level;
      return [of(n).id, before + (level - before) * part];
    }));
    const level = (/** @type {number} */ n) => this.#levels.get(of(n).id) ?? FLOOR;
    let loudest = -1;
    for (const n of cameras) if (level(n) >= SPEECH && (loudest < 0 || level(n) > level(loudest))) loudest = n;
    const current = cameras.find((n) => of(n).id === this.#current) ?? -1;
    if (current < 0) return this.#choose(loudest < 0 ? '' : of(loudest).id, loudest);
    const stays = { at: current, speaks: level(current) >= SPEECH };
    if (loudest < 0 || loudest === current || level(loudest) < level(current) + LOUDER_BY) {
      this.#louder.id = '';
      return stays;
    }
    const { id } = of(loudest);
    if (this.#louder.id !== id) this.#louder = { id, since: now };
    if (now - this.#louder.since < LOUDER_FOR || now - this.#since < HOLD) return stays;
    return this.#choose(id, loudest);
  }

  /** @param {string} id @param {number} at */
  #choose(id, at) {
    this.#current = id;
    this.#since = this.#now;
    this.#louder.id = '';
    return { at, speaks: at >= 0 };
  }
}
