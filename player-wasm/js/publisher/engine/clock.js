// One clock for several devices.

/** How fast the offset follows a slower clock: milliseconds per millisecond that passes. */
const FOLLOW = 1 / 10_000;

/**
 * Maps a device's times to the page's clock. A device's clock begins at any time and runs a little faster or slower.
 * Its data may arrive late, but never early, so the earliest arrivals count.
 */
export class DeviceClock {
  /** Milliseconds to add to the device's time. */
  #offset = NaN;
  #last = 0;

  /**
   * Returns milliseconds on the page's clock.
   * @param {number} time of the device, in milliseconds
   * @param {number} now the time of arrival on the page's clock
   */
  map(time, now) {
    const offset = now - time;
    const jump = Math.abs(offset - this.#offset) > 1000;
    if (Number.isNaN(this.#offset) || jump) this.#offset = offset;
    else if (offset < this.#offset) this.#offset = Math.max(offset, this.#offset - 1);
    // The offset rises slowly: a delay has passed before it counts, while a slower clock stays slower.
    else this.#offset += Math.min(offset - this.#offset, (now - this.#last) * FOLLOW);
    this.#last = now;
    return time + this.#offset;
  }
}
