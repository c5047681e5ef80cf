// Where each input of a mix is drawn: the layouts of the gateway's own mix, by the same rules.

import { MAX_GAP, MAX_MARGIN, MAX_SOURCES } from './look.js';
import { grid, pictureInPicture, strip } from './places.js';
import { columns, middle, rect, rows } from './rect.js';

/** @typedef {import('./rect.js').Rect} Rect */
/** @typedef {import('../../types/define-mixer.js').MixLayout} MixLayout */
/** @typedef {{ id: string, screen: boolean, hidden: boolean }} Source what a layout has to know of an input */
/** @typedef {{ source: number, rect: Rect, fit: string }} Tile source: the position of the input in the list */
/** @typedef {{ width: number, height: number, margin: number, gap: number }} Stage margin in per cent, the others in pixels */

/** The positions of the inputs that are drawn. @param {Source[]} sources */
export const visible = (sources) => sources.flatMap(({ hidden }, n) => (hidden ? [] : [n])).slice(0, MAX_SOURCES);

/**
 * The tiles of a layout in the order in which they are drawn. All are inside the canvas; only those of `pip` and of
 * regions may overlap.
 * @param {MixLayout} layout a valid one
 * @param {Source[]} sources
 * @param {number} speaker the position of the input that speaks; -1: none
 * @param {Stage} stage
 * @returns {Tile[]}
 */
export function tiles(layout, sources, speaker, { width, height, margin, gap }) {
  const canvas = rect(0, 0, width, height);
  if (typeof layout === 'object' && 'regions' in layout) return inRegions(layout.regions, sources, canvas);
  const rest = 100 - 2 * Math.min(Math.max(0, margin), MAX_MARGIN);
  const area = middle(canvas, Math.floor(width * rest / 100), Math.floor(height * rest / 100));
  gap = Math.min(Math.max(0, gap), MAX_GAP) & ~1;
  const shown = visible(sources);
  const place = (/** @type {number[]} */ order, /** @type {Rect[]} */ rects, fit = 'auto') =>
    rects.map((one, i) => ({ source: /** @type {number} */ (order[i]), rect: one, fit: i ? fit : 'auto' }));
  const withStrip = (/** @type {number} */ first) => place([first, ...shown.filter((n) => n !== first)], strip(area, shown.length, gap));
  const n = shown.length;
  if (n <= 1) return place(shown, Array(n).fill(area));
  if (typeof layout === 'object') return place(shown, pictureInPicture(area, n, layout.pip, gap), layout.pip.fit);
  switch (layout) {
    case 'side': return place(shown, area.w >= area.h ? columns(area, n, gap) : rows(area, n, gap));
    case 'pip': return place(shown, pictureInPicture(area, n, {}, gap));
    case 'speaker': return withStrip(loudest(shown, sources, speaker));
    case 'screen': return withStrip(shown.find((one) => sources[one]?.screen) ?? loudest(shown, sources, speaker));
    default: return place(shown, grid(area, n, gap));
  }
}

/** The speaker if it is visible, or the first camera. @param {number[]} shown @param {Source[]} sources @param {number} speaker */
const loudest = (shown, sources, speaker) =>
  (shown.includes(speaker) ? speaker : shown.find((n) => !sources[n]?.screen) ?? shown[0] ?? 0);

/** @param {import('../../types/define-mixer.js').MixRegion[]} regions @param {Source[]} sources @param {Rect} canvas @returns {Tile[]} */
function inRegions(regions, sources, canvas) {
  return regions.slice(0, MAX_SOURCES).flatMap(({ source, x, y, w, h, fit = 'auto' }) => {
    const n = typeof source === 'number' ? source : sources.findIndex(({ id }) => id === source);
    if (!sources[n] || sources[n].hidden) return [];
    [x, y] = [Math.min(x, canvas.w - 2), Math.min(y, canvas.h - 2)];
    return [{ source: n, rect: rect(x, y, Math.min(w, canvas.w - x), Math.min(h, canvas.h - y)), fit }];
  });
}
