// Whether and when something that failed is tried again.

/** Milliseconds to wait at most, for somebody who looks on and for a page that nobody sees. */
const SEEN = 1_600;
const UNSEEN = 10_000;

/** Refusals in a row after which a new token is tried: a server that was restarted may be back before it knows its token issuers. */
const REFUSALS = 4;

/**
 * Milliseconds to wait before an attempt: short first, then doubling. A quarter of it is random, so that a thousand
 * viewers do not come back in the same moment.
 * @param {number} attempt  0 for the first
 * @param {boolean} [slow]  the page is hidden, or a server is asked that many share
 */
export function backOff(attempt, slow = false) {
  const wait = attempt === 0 ? 100 : Math.min(slow ? UNSEEN : SEEN, 250 * 2 ** Math.min(attempt, 10));
  return wait * (0.75 + Math.random() / 2);
}

/** Decides about the attempts of one connection, and waits before the next one. */
export class Retry {
  #limit;
  #attempt = 0;
  #refused = 0;
  #timer = 0;

  /** @param {number} limit attempts in a row before giving up */
  constructor(limit) {
    this.#limit = limit;
  }

  /** Makes the attempt that is to come at once. */
  hurry = () => {};

  /** It worked: the next failure is a first one. */
  reset() {
    this.#attempt = this.#refused = 0;
  }

  /**
   * Milliseconds to wait before the next attempt; none: give up.
   * @param {boolean} [slow] as of {@link backOff}
   * @param {boolean} [held] the server has held the request: it may be asked again soon
   */
  next(slow, held) {
    if (this.#attempt >= this.#limit) return undefined;
    const attempt = this.#attempt++;
    return backOff(held ? 0 : attempt, slow);
  }

  /**
   * The same after a refusal, when the page may give another token.
   * @param {boolean} kept the token that was refused is an older one
   * @param {boolean} worked it worked before
   * @param {boolean} [slow]
   */
  refused(kept, worked, slow) {
    if (kept) return 0;
    return this.#refused < (worked ? REFUSALS : 1) ? this.#refused++ && backOff(this.#refused, slow) : undefined;
  }

  /** Makes an attempt after some milliseconds. @param {number} wait @param {() => void} work */
  after(wait, work) {
    this.stop();
    this.hurry = () => {
      this.stop();
      work();
    };
    this.#timer = setTimeout(this.hurry, wait);
  }

  /** Makes no attempt. */
  stop() {
    clearTimeout(this.#timer);
    this.hurry = () => {};
  }
}
