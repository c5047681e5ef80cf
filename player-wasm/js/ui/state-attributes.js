// Exposes an element's state to the page's style sheets as `[state=live]` and `:state(live)`.

/** Elements whose attributes wait for the load of the page, with the values. @type {Map<Element, string[]> | null} */
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
 * Shows a state. The attributes are written only when the page is loaded: React and other frameworks compare the page
 * with what their server has rendered, and would report additional attributes as a mismatch.
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
