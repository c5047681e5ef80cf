// Which server a host name in an address stands for.

/** @param {string} hostname */
const isLoopback = (hostname) => /^(127\.|localhost$|\[::1\]$)/.test(hostname);

/**
 * Whether a host name is that of the page's own server. All loopback names are one machine.
 * @param {string} hostname
 * @param {URL} page
 */
export const isPageHost = (hostname, page) =>
  hostname === page.hostname || (isLoopback(hostname) && isLoopback(page.hostname));
