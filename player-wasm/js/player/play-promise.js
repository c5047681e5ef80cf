/** @param {string} why */
export const abort = (why) => new DOMException(`play() was ${why}`, 'AbortError');

/** Returns a promise of play() with the functions that settle it. */
export function pending() {
  let resolve = () => {};
  /** @type {(why: unknown) => void} */
  let reject = () => {};
  /** @type {Promise<void>} */
  const promise = new Promise((yes, no) => { resolve = yes; reject = no; });
  // A page may ignore the promise: `error` and `state` have the reason too.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
