// What shows a server that one may play or publish: asked for anew before every attempt, kept nowhere.

/** @typedef {string | (() => string | Promise<string>)} Token */

/** What the error of a page's function may be; any other is one that the next attempt may not have. */
const GIVEN = /^(busy|forbidden|http|network|not-found)$/;
/** What browsers say when fetch() finds nobody. */
const UNREACHED = /fetch|network|load failed/i;

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
