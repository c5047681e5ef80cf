// The places of a layout's tiles on the canvas.

import { divide, even, middle, rect, shrink, withAspect } from './rect.js';

/** @typedef {import('./rect.js').Rect} Rect */
/** @typedef {{ corner?: string, width?: number, height?: number, offset?: number, fit?: string }} Pip */

/** Part of the longer side that a strip takes. */
const STRIP = 0.22;

/**
 * Tiles of equal size in rows; a shorter last row is in the middle. The number of columns is the one with the largest
 * tiles, whose aspect ratio is between 4:3 and 16:9, because cameras have those. A single tile has the whole area.
 * @param {Rect} area @param {number} n @param {number} gap @returns {Rect[]}
 */
export function grid(area, n, gap) {
  if (n <= 1) return Array(n).fill(area);
  const { columns, tile } = best(area, n, gap);
  const lines = Math.ceil(n / columns);
  gap = Math.min(divide(area.w, columns, gap)[1], divide(area.h, lines, gap)[1]);
  const block = (/** @type {number} */ count, /** @type {number} */ one) => count * one + (count - 1) * gap;
  const { y: top } = middle(area, 2, block(lines, tile.h));
  return Array.from({ length: n }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const { x: left } = middle(area, block(Math.min(columns, n - row * columns), tile.w), 2);
    return rect(left + column * (tile.w + gap), top + row * (tile.h + gap), tile.w, tile.h);
  });
}

/** The best number of columns, and the size of a tile. Of equal ones, more columns are better. @param {Rect} area @param {number} n @param {number} gap */
function best(area, n, gap) {
  let found = { columns: 1, tile: rect(0, 0, 0, 0) };
  for (let columns = 1; columns <= n; columns++) {
    const cell = rect(0, 0, divide(area.w, columns, gap)[0], divide(area.h, Math.ceil(n / columns), gap)[0]);
    const tile = cell.w * 9 > cell.h * 16 ? withAspect(cell, 16, 9) : cell.w * 3 < cell.h * 4 ? withAspect(cell, 4, 3) : cell;
    if (tile.w * tile.h >= found.tile.w * found.tile.h) found = { columns, tile };
  }
  return found;
}

/**
 * A large tile beside a strip of small ones. The strip is on the right, or at the bottom of a canvas in portrait format.
 * @param {Rect} area @param {number} n @param {number} gap @returns {Rect[]}
 */
export function strip(area, n, gap) {
  if (n <= 1) return Array(n).fill(area);
  const wide = area.w >= area.h;
  [, gap] = divide(Math.max(area.w, area.h), 2, gap);
  const size = even(Math.floor((wide ? area.w : area.h) * STRIP));
  const large = wide ? rect(area.x, area.y, area.w - size - gap, area.h) : rect(area.x, area.y, area.w, area.h - size - gap);
  const small = wide ? rect(area.x + area.w - size, area.y, size, area.h) : rect(area.x, area.y + area.h - size, area.w, size);
  // A single small tile would have the shape of the strip.
  return [large, ...(n === 2 ? [withAspect(small, 16, 9)] : grid(small, n - 1, gap))];
}

/**
 * The whole area, and small tiles on it. They begin in a corner and follow each other along the vertical edge, then in
 * further columns. If they have no room, they become smaller.
 * @param {Rect} area @param {number} n @param {Pip} pip @param {number} gap @returns {Rect[]}
 */
export function pictureInPicture(area, n, pip, gap) {
  const small = Math.max(0, n - 1);
  const inner = shrink(area, Math.min(even(pip.offset ?? area.h / 40), even(Math.min(area.w, area.h) / 8)));
  const quarter = Math.floor(area.w / 4);
  const wanted = pip.width ?? (pip.height ? Math.floor(pip.height * 16 / 9) : quarter);
  const clamp = (/** @type {number} */ size, /** @type {number} */ most) => even(Math.min(Math.max(2, size), most));
  let [w, h] = [clamp(wanted, inner.w), clamp(pip.height ?? Math.floor(wanted * 9 / 16), inner.h)];
  const fitting = (/** @type {number} */ whole, /** @type {number} */ one) => Math.floor((whole + gap) / (one + gap));
  while (fitting(inner.h, h) * fitting(inner.w, w) < small) {
    [w, h, gap] = [Math.max(2, even(w * 0.9)), Math.max(2, even(h * 0.9)), even(gap * 0.9)];
  }
  const perColumn = fitting(inner.h, h);
  const [vertical, horizontal] = (pip.corner ?? 'bottom-right').split('-');
  return [area, ...Array.from({ length: small }, (_, i) => {
    const [across, along] = [Math.floor(i / perColumn) * (w + gap), (i % perColumn) * (h + gap)];
    return rect(
      horizontal === 'left' ? inner.x + across : inner.x + inner.w - w - across,
      vertical === 'top' ? inner.y + along : inner.y + inner.h - h - along, w, h,
    );
  })];
}
