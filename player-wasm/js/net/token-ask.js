// What shows a server that one may play or publish: asked for anew before every attempt that may reach one.

/** @typedef {string | (() => string | Promise<string>)} Token */

/** What the error of a page's function may be; any other is one that the next attempt may not have. */
const GIVEN = /^(busy|forbidden|http|network|not-found)$/;
/** What browsers say when fetch() finds nobody. */
const UNREACHED = /fetch|network|load failed/i;
/** Some servers take a token for 60 s after it was made: so many milliseconds one is kept that reached nobody. */
const KEPT = 40_000;

/**
 * The token for one attempt; empty: none.
 * @param {Token} token
 * @returns {Promise<string>}
 * @throws an error with `code`, `detail`, `fatal`, and `own`: it is the page's, not the server's
 */
export async function shown(token) {
  if (typeof token !== 'function') return token;
  try {
    return String(await token() ?? '');
  } catch (error) {
    const { code, message = String(error) } = /** @type {any} */ (error ?? {});
    const known = typeof code === 'string' && GIVEN.test(code) ? code : 'http';
    const why = error instanceof TypeError && UNREACHED.test(message) ? 'network' : known;
    throw Object.assign(new Error(message), { code: why, detail: message, fatal: why === 'forbidden', own: true });
  }
}

/** The tokens of one player or publisher. */
export class Tokens {
  /** The last one, and of what. */
  #last = { of: /** @type {Token} */ (''), token: '', until: 0 };

  /**
   * The token for one attempt. While a server is away, not each attempt needs another one: who gives them would
   * be asked by everybody at once.
   * @param {Token} of
   * @param {boolean} [unspent] the last one reached nobody
   */
  async take(of, unspent) {
    const last = this.#last;
    if (unspent && last.of === of && performance.now() < last.until) return last.token;
    const token = await shown(of);
    this.#last = { of, token, until: performance.now() + KEPT };
    return token;
  }
}
