// Sends requests from the browser of an administrator or author to the media server, and explains failures.
(() => {
  const told = /** @type {any} */ (window).lianmaiReach;
  const { words } = told;

  /** A failed step: the problem, and advice. */
  class Failure extends Error {
    /** @param {string} sentence @param {string} [advice] */
    constructor(sentence, advice = '') {
      super(sentence);
      this.advice = advice;
    }
  }

  /**
   * Sends a request. Throws a Failure if the server does not answer or the browser forbids the request.
   * @param {string} url
   * @param {RequestInit} [init]
   */
  async function reach(url, init) {
    if (location.protocol === 'https:' && url.startsWith('http:')) throw new Failure('', words.mixed);
    try {
      return await fetch(url, init);
    } catch {
      throw new Failure(words.fetch.replace('%s', new URL(url, location.href).origin), words.reach);
    }
  }
  Object.assign(told, { Failure, reach });
})();
