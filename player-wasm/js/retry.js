// When to try again.

/**
 * Milliseconds to wait before an attempt: quick first, then doubling to ten seconds, a quarter of it by
 * chance, so that a thousand viewers do not come back in the same moment.
 * @param {number} attempt  0 for the first
 */
export function backOff(attempt) {
  const wait = attempt === 0 ? 100 : Math.min(10_000, 250 * 2 ** Math.min(attempt, 10));
  return wait * (0.75 + Math.random() / 2);
}
