// Maps the clocks of several devices to one clock.

/** Rate at which the offset follows a slower clock, in milliseconds per millisecond. */
const FOLLOW = 1 / 10_000;

/**
 * Maps a device's times to the page's clock. A device's clock starts at any value and is a little faster or slower. Data
 * may arrive late, but never early, so the earliest arrivals define the offset.
 */
export class DeviceClock {
  /** Offset in milliseconds to add to the device's time. */
  #offset = NaN;
  #last = 0;

  /**
   * Returns the time on the page's clock, in milliseconds.
   * @param {number} time of the device, in milliseconds
   * @param {number} now the time of arrival on the page's clock
   */
  map(time, now) {
    const offset = now - time;
    const jump = Math.abs(offset - this.#offset) > 1000;
    if (Number.isNaN(this.#offset) || jump) this.#offset = offset;
    else if (offset < this.#offset) this.#offset = Math.max(offset, this.#offset - 1);
    // The offset rises slowly: a short delay ends before it has an effect, while a slower clock stays slower.
    else this.#offset += Math.min(offset - this.#offset, (now - this.#last) * FOLLOW);
    this.#last = now;
    return time + this.#offset;
  }
}
