// Tokens that the page gives: asked for again before every attempt that may reach a server.

/** @typedef {string | (() => string | Promise<string>)} Token */

/** Codes that an error of a page's function may have. The next attempt may not have any other error. */
const GIVEN = /^(busy|forbidden|http|network|not-found)$/;
/** The message of fetch() when there is no response. */
const UNREACHED = /fetch|network|load failed/i;
/** Milliseconds for which a token that reached nobody is kept. Some servers accept a token for 60 s after it was made. */
const KEPT = 40_000;

/**
 * The token for one attempt; empty: none.
 * @param {Token} token
 * @returns {Promise<string>}
 * @throws an error with `code`, `detail`, `fatal`, and `own`: the page's function has failed, not the server
 */
export async function shown(token) {
  if (typeof token !== 'function') return token;
  try {
    return String(await token() ?? '');
  } catch (error) {
    const { code, message = String(error) } = /** @type {{ code?: unknown, message?: string }} */ (error ?? {});
    const known = typeof code === 'string' && GIVEN.test(code) ? code : 'http';
    const why = error instanceof TypeError && UNREACHED.test(message) ? 'network' : known;
    throw Object.assign(new Error(message), { code: why, detail: message, fatal: why === 'forbidden', own: true });
  }
}

/** The tokens of one player or publisher. */
export class Tokens {
  /** The last token, and where it came from. */
  #last = { of: /** @type {Token} */ (''), token: '', until: 0 };

  /**
   * The token for one attempt. While a server is away, not every attempt takes another token: otherwise all viewers
   * would ask the server that gives them, again and again.
   * @param {Token} of
   * @param {boolean} [unspent] the last token reached nobody
   */
  async take(of, unspent) {
    const last = this.#last;
    if (unspent && last.of === of && performance.now() < last.until) return last.token;
    const token = await shown(of);
    this.#last = { of, token, until: performance.now() + KEPT };
    return token;
  }
}
