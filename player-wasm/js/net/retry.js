// When to try again.

/** Milliseconds at most for somebody who looks on, and for a page that nobody sees. */
const SEEN = 1_600;
const UNSEEN = 10_000;

/**
 * Milliseconds to wait before an attempt: quick first, then doubling, a quarter of it by chance, so that a
 * thousand viewers do not come back in the same moment.
 * @param {number} attempt  0 for the first
 * @param {boolean} [hidden]  whether the page is
 */
export function backOff(attempt, hidden = false) {
  const wait = attempt === 0 ? 100 : Math.min(hidden ? UNSEEN : SEEN, 250 * 2 ** Math.min(attempt, 10));
  return wait * (0.75 + Math.random() / 2);
}
