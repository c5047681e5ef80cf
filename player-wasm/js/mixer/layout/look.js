// How a mix looks, and the bounds of that; as in the gateway's mix.

/** @typedef {import('../../types/define-mixer.js').MixLook} MixLook */

/** The layouts that have a name. */
export const LAYOUTS = ['grid', 'speaker', 'side', 'pip', 'screen'];
/** Inputs that are drawn at most; further ones are left out. */
export const MAX_SOURCES = 16;
/** Per cent that may stay free on each side. */
export const MAX_MARGIN = 20;
/** Pixels between two inputs at most. */
export const MAX_GAP = 64;

const CORNERS = ['top-left', 'top-right', 'bottom-left', 'bottom-right'];
const FITS = ['auto', 'cover', 'contain', 'stretch'];

/** Returns why a layout is invalid; empty: it is valid. @param {unknown} layout */
export function refused(layout) {
  if (typeof layout === 'string') return LAYOUTS.includes(layout) ? '' : `${JSON.stringify(layout.slice(0, 20))} is no layout: use ${LAYOUTS.join(', ')}`;
  const { pip, regions } = /** @type {{ pip?: import('./places.js').Pip, regions?: any[] }} */ (layout ?? {});
  const natural = (/** @type {unknown} */ n) => n === undefined || (Number.isInteger(n) && /** @type {number} */ (n) >= 0);
  if (pip && typeof pip === 'object' && !regions) {
    const { corner = CORNERS[0], fit = FITS[0], width, height, offset } = pip;
    return CORNERS.includes(corner) && FITS.includes(fit) && [width, height, offset].every(natural) ? '' : 'pip: a corner, width, height and offset in pixels, and fit';
  }
  if (!Array.isArray(regions) || pip) return 'a layout is a name, or an object with `pip` or `regions`';
  if (!regions.length || regions.length > MAX_SOURCES) return `${regions.length} regions: 1 to ${MAX_SOURCES} are possible`;
  const valid = regions.every((/** @type {any} */ one) => one && (typeof one.source === 'string' || Number.isInteger(one.source))
    && [one.x, one.y, one.w, one.h].every((n) => n !== undefined && natural(n)) && one.w >= 2 && one.h >= 2 && FITS.includes(one.fit ?? 'auto'));
  return valid ? '' : 'a region is {source, x, y, w, h}, in pixels';
}

/** How the inputs are drawn, unless the page says otherwise; as in the gateway's mix. @type {MixLook} */
export const LOOK = { layout: 'grid', names: true, background: '#141720', margin: 0, gap: 8, border: true, fade: true };
