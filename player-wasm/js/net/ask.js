// Sends requests that open a session at the server or end it.

/** Milliseconds after the caller has given up in which a response is still read. */
const GRACE = 3_000;
/** Timeout in milliseconds of the request that ends a session. */
const GOODBYE = 2_000;

/**
 * Sends a request. If the caller gives up, a late response is still read, so that the session that it opens can be
 * ended. A server that holds the request until somebody publishes has opened no session.
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

/** Open sessions, and the controllers that cancel the browser's deferred requests. @type {Map<string, AbortController>} */
const open = new Map();

/**
 * Lets the browser end a session after the page is gone. A page that is busy when it is closed, or that crashes, runs
 * no `pagehide` handler. Browsers without `fetchLater()` leave such a session to the server's timeout.
 * @param {string} location of the session
 * @param {Record<string, string>} [headers]
 */
export function endLater(location, headers = {}) {
  const withdrawn = new AbortController();
  try {
    /** @type {NonNullable<typeof fetchLater>} */ (globalThis.fetchLater)(location, { method: 'DELETE', headers, signal: withdrawn.signal });
    open.set(location, withdrawn);
  } catch {
    // This browser does not support `fetchLater()`, or does not allow it for a server without HTTPS.
  }
}

/**
 * Ends a session, also while the page is being closed. If the request is lost, the server ends the session by its timeout.
 * @param {string} location of the session; empty if there is none
 * @param {Record<string, string>} [headers]
 */
export async function endSession(location, headers = {}) {
  if (!location) return;
  open.get(location)?.abort();
  open.delete(location);
  const answer = fetch(location, { method: 'DELETE', headers, keepalive: true }).catch(() => {});
  await Promise.race([answer, new Promise((resolve) => { setTimeout(resolve, GOODBYE); })]);
}
