// Building the shadow tree without innerHTML: works under a strict CSP and under Trusted Types.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An HTML element. Keys that start with `on` are listeners, the others attributes; `false` and
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
 * A 24x24 icon of one path, hidden from screen readers: its button has a label.
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

/** Writes a text if it is another one: screen readers read it out whenever it is written. An empty text hides the node. @param {HTMLElement} node @param {string} text */
export function tell(node, text) {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = text === '';
}
