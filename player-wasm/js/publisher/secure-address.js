// Where the page is that may use a camera.

/**
 * The page's address over HTTPS, where browsers give out cameras. A page without a port is on the usual one;
 * else HTTPS is at Lianmai's port.
 * @param {Location | URL} page
 */
export const secureAddress = (page) => `https://${page.hostname}${page.port && ':8443'}${page.pathname}${page.search}`;
