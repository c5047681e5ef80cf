// Gets tokens from the page: a new one for each attempt that may reach a server.

/** @typedef {string | (() => string | Promise<string>)} Token */

/** Error codes that a page's function may use. */
const GIVEN = /^(busy|forbidden|http|network|not-found)$/;
/** The message of fetch() when there is no response. */
const UNREACHED = /fetch|network|load failed/i;
/** Milliseconds for which a token that no server has received is kept. Some servers accept a token for 60 s. */
const KEPT = 40_000;

/**
 * Returns the token for one attempt; empty if there is none.
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

/** Provides the tokens of one player or publisher. */
export class Tokens {
  /** The last token, and its source. */
  #last = { of: /** @type {Token} */ (''), token: '', until: 0 };

  /**
   * Returns the token for one attempt. While a media server is down, attempts reuse the token: otherwise all viewers
   * would request new tokens from the token server again and again.
   * @param {Token} of
   * @param {boolean} [unspent] whether no server has received the last token
   */
  async take(of, unspent) {
    const last = this.#last;
    if (unspent && last.of === of && performance.now() < last.until) return last.token;
    const token = await shown(of);
    this.#last = { of, token, until: performance.now() + KEPT };
    return token;
  }
}
