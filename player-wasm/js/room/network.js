// How well the network carries the room, from what each second has lost and how long it took.

/** @typedef {'good' | 'poor' | 'bad'} Quality */

/** Fractions of packets lost, and seconds of round trip, from which the network is poor and bad. */
const POOR = { loss: 0.05, rtt: 0.5 };
const BAD = { loss: 0.15, rtt: 1.2 };
/** Measurements in a row after which the network counts as worse, and as better. */
const WORSE = 3;
const BETTER = 8;

const LEVELS = /** @type {const} */ (['good', 'poor', 'bad']);

export class Network {
  /** @type {Quality} */
  quality = 'good';
  #worse = 0;
  #better = 0;

  /**
   * Takes a measurement, about one a second. Returns whether the quality has changed.
   * @param {{ loss: number, rtt: number }} measured
   */
  measure({ loss, rtt }) {
    const now = loss >= BAD.loss || rtt >= BAD.rtt ? 2 : loss >= POOR.loss || rtt >= POOR.rtt ? 1 : 0;
    const before = LEVELS.indexOf(this.quality);
    this.#worse = now > before ? this.#worse + 1 : 0;
    this.#better = now < before ? this.#better + 1 : 0;
    if (this.#worse < WORSE && this.#better < BETTER) return false;
    // One step at a time: what is sent less may be enough.
    this.quality = LEVELS[before + (this.#worse >= WORSE ? 1 : -1)] ?? this.quality;
    this.#worse = this.#better = 0;
    return true;
  }
}
