// Requests of an administrator's or author's browser to the media server, with a sentence on why one fails.
(() => {
  const told = /** @type {any} */ (window).lianmaiReach;
  const { words } = told;

  /** A step that failed: what happened, and what to do. */
  class Failure extends Error {
    /** @param {string} sentence @param {string} [advice] */
    constructor(sentence, advice = '') {
      super(sentence);
      this.advice = advice;
    }
  }

  /**
   * Makes a request; a server that does not answer, or that the browser may not ask, is a Failure.
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
