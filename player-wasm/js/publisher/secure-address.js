// Finds the HTTPS address of the page, where browsers allow the camera.

/**
 * Returns the page's address over HTTPS, where browsers allow the camera. Without a port, HTTPS has its default port;
 * with a port, HTTPS has Lianmai's port.
 * @param {Location | URL} page
 */
export const secureAddress = (page) => `https://${page.hostname}${page.port && ':8443'}${page.pathname}${page.search}`;
