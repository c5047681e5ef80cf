// Requests that open a session at the server, and those that end it.

/** An answer that comes within this many milliseconds after the caller gave up is still read. */
const GRACE = 3_000;
/** Milliseconds that the answer to a goodbye is waited for. */
const GOODBYE = 2_000;

/**
 * Fetches; a caller who gives up gets an answer that is on its way nevertheless, so that the session which it
 * opens can be given back. A server that holds the question, until somebody publishes, has opened none.
 * @param {string} url
 * @param {RequestInit} init
 * @param {AbortSignal} [signal] of the caller
 */
export function ask(url, init, signal) {
  if (!signal) return fetch(url, init);
  const late = new AbortController();
  const stop = () => setTimeout(() => late.abort(), GRACE);
  if (signal.aborted) late.abort();
  else signal.addEventListener('abort', stop, { once: true });
  return fetch(url, { ...init, signal: late.signal }).finally(() => signal.removeEventListener('abort', stop));
}

/** Sessions that are open, and how to withdraw what the browser would do for each. @type {Map<string, AbortController>} */
const open = new Map();

/**
 * Has the browser end a session once the page is gone. A page that is busy when it is closed, or that crashes, runs
 * no `pagehide` handler. Browsers without `fetchLater()` leave such a session to the server's timeout.
 * @param {string} location of the session
 * @param {Record<string, string>} [headers]
 */
export function endLater(location, headers = {}) {
  const withdrawn = new AbortController();
  try {
    /** @type {any} */ (globalThis).fetchLater(location, { method: 'DELETE', headers, signal: withdrawn.signal });
    open.set(location, withdrawn);
  } catch {
    // Missing in this browser, or not allowed for a server without HTTPS.
  }
}

/**
 * Ends a session; works while the page goes away. A server that does not hear it finds out by itself.
 * @param {string} location of the session; empty: it has none
 * @param {Record<string, string>} [headers]
 */
export async function endSession(location, headers = {}) {
  if (!location) return;
  open.get(location)?.abort();
  open.delete(location);
  const answer = fetch(location, { method: 'DELETE', headers, keepalive: true }).catch(() => {});
  await Promise.race([answer, new Promise((resolve) => { setTimeout(resolve, GOODBYE); })]);
}
