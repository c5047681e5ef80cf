// An element's state, for the page's style sheets: `[state=live]` and `:state(live)`.

/** Elements whose attributes wait for the page to be loaded, and what they will say. @type {Map<Element, string[]> | null} */
let early = new Map();

function write() {
  for (const [element, [state, code]] of early ?? []) put(element, /** @type {string} */ (state), code);
  early = null;
}

const page = globalThis.document;
const idle = globalThis.requestIdleCallback ?? ((/** @type {() => void} */ work) => setTimeout(work, 500));
if (page?.readyState === 'complete') early = null;
else if (page) addEventListener('load', () => idle(write, { timeout: 2000 }), { once: true });

/** @param {Element} element @param {string} state @param {string} [code] */
function put(element, state, code) {
  element.setAttribute('state', state);
  if (code === undefined) element.removeAttribute('code');
  else element.setAttribute('code', code);
}

/**
 * Shows a state. While the page loads there are no attributes yet: React and others compare what a server has
 * rendered with the page, and attributes of our own are a mismatch.
 * @param {Element} element
 * @param {ElementInternals | undefined} internals
 * @param {string} state
 * @param {string} [code] of an error
 */
export function mark(element, internals, state, code) {
  try {
    internals?.states.clear();
    internals?.states.add(state);
  } catch {
    // An older Chromium wants `--` before the name.
  }
  if (early) early.set(element, code === undefined ? [state] : [state, code]);
  else put(element, state, code);
}
