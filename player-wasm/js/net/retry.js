// Decides whether and when to repeat a failed attempt to connect.

/** Maximum milliseconds between attempts: for a visible page, and for a hidden one. */
const SEEN = 1_600;
const UNSEEN = 10_000;

/** Number of refusals in a row for which a new token is tried: a restarted server may not know its token issuers yet. */
const REFUSALS = 4;

/**
 * Returns the milliseconds to wait before an attempt. The time starts short and doubles. A quarter of it is random, so
 * that a thousand viewers do not reconnect at the same moment.
 * @param {number} attempt  0 for the first
 * @param {boolean} [slow]  the page is hidden, or many clients share the server
 */
export function backOff(attempt, slow = false) {
  const wait = attempt === 0 ? 100 : Math.min(slow ? UNSEEN : SEEN, 250 * 2 ** Math.min(attempt, 10));
  return wait * (0.75 + Math.random() / 2);
}

/** Counts the attempts of one connection, and waits before the next one. */
export class Retry {
  #limit;
  #attempt = 0;
  #refused = 0;
  #timer = 0;

  /** @param {number} limit attempts in a row before giving up */
  constructor(limit) {
    this.#limit = limit;
  }

  /** Makes the scheduled attempt now. */
  hurry = () => {};

  /** Resets the count after a success. */
  reset() {
    this.#attempt = this.#refused = 0;
  }

  /**
   * Returns the milliseconds to wait before the next attempt; none to give up.
   * @param {boolean} [slow] see {@link backOff}
   * @param {boolean} [held] the server has held the request for a while, so the next attempt may follow soon
   */
  next(slow, held) {
    if (this.#attempt >= this.#limit) return undefined;
    const attempt = this.#attempt++;
    return backOff(held ? 0 : attempt, slow);
  }

  /**
   * Returns the same after a refusal, when the page may give another token.
   * @param {boolean} kept the refused token was used before
   * @param {boolean} worked an earlier attempt succeeded
   * @param {boolean} [slow]
   */
  refused(kept, worked, slow) {
    if (kept) return 0;
    return this.#refused < (worked ? REFUSALS : 1) ? this.#refused++ && backOff(this.#refused, slow) : undefined;
  }

  /** Schedules an attempt after some milliseconds. @param {number} wait @param {() => void} work */
  after(wait, work) {
    this.stop();
    this.hurry = () => {
      this.stop();
      work();
    };
    this.#timer = setTimeout(this.hurry, wait);
  }

  /** Cancels the scheduled attempt. */
  stop() {
    clearTimeout(this.#timer);
    this.hurry = () => {};
  }
}
