/**
 * Applies properties that the page set before the element was defined.
 * @param {HTMLElement} element
 * @param {string[]} names
 */
export function upgrade(element, names) {
  const self = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (element));
  for (const name of names) {
    if (!Object.hasOwn(self, name)) continue;
    const value = self[name];
    delete self[name];
    self[name] = value;
  }
}
