// Compares a host name with that of the page's server.

/** @param {string} hostname */
const isLoopback = (hostname) => /^(127\.|localhost$|\[::1\]$)/.test(hostname);

/**
 * Returns whether a host name belongs to the page's own server. All loopback names are the same machine.
 * @param {string} hostname
 * @param {URL} page
 */
export const isPageHost = (hostname, page) =>
  hostname === page.hostname || (isLoopback(hostname) && isLoopback(page.hostname));
