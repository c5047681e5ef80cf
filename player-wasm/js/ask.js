// Requests whose answer opens a session at the server.

/** An answer that comes within this many milliseconds after the caller gave up is still read. */
const GRACE = 3_000;

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
