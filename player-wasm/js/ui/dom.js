// Builds the shadow tree without innerHTML, so that it works under a strict CSP and Trusted Types.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Creates an HTML element. Keys that start with `on` are listeners, the others attributes; `false` and
 * `undefined` leave an attribute out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children);
  return node;
}

/**
 * Creates a 24x24 icon of one path. It is hidden from screen readers, because its button has a label.
 * @param {string} path
 */
export function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/** Sets the text of a node if it differs, because screen readers announce each write. An empty text hides the node. @param {HTMLElement} node @param {string} text */
export function tell(node, text) {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = text === '';
}
