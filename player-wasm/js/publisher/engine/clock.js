// One clock for what comes from several.

/** How fast a clock is followed: this much of a difference per millisecond that passes. */
const FOLLOW = 1 / 10_000;

/**
 * Puts a device's times on the page's clock. A device's clock begins anywhere and runs a little faster or
 * slower; what it delivers comes late now and then, and never early: so the earliest arrivals count.
 */
export class DeviceClock {
  /** What to add to the device's time. */
  #offset = NaN;
  #last = 0;

  /**
   * Milliseconds on the page's clock.
   * @param {number} time of the device, in milliseconds
   * @param {number} now when it arrived, on the page's clock
   */
  map(time, now) {
    const offset = now - time;
    const jump = Math.abs(offset - this.#offset) > 1000;
    if (Number.isNaN(this.#offset) || jump) this.#offset = offset;
    else if (offset < this.#offset) this.#offset = Math.max(offset, this.#offset - 1);
    // Rises slowly: lateness passes before it counts, a slower clock does not.
    else this.#offset += Math.min(offset - this.#offset, (now - this.#last) * FOLLOW);
    this.#last = now;
    return time + this.#offset;
  }
}
