// Rectangles of even pixels: the colours of the encoded video have half its resolution.

/** @typedef {{ x: number, y: number, w: number, h: number }} Rect */

/** Rounds down to an even number. @param {number} n */
export const even = (n) => n & ~1;

/** A rectangle whose numbers are rounded down to even ones; it has 2 by 2 pixels at least. @param {number} x @param {number} y @param {number} w @param {number} h @returns {Rect} */
export const rect = (x, y, w, h) => ({ x: even(x), y: even(y), w: Math.max(2, even(w)), h: Math.max(2, even(h)) });

/** A rectangle of this size, or less, in the middle of another one. @param {Rect} outer @param {number} w @param {number} h */
export function middle(outer, w, h) {
  [w, h] = [Math.min(w, outer.w), Math.min(h, outer.h)];
  return rect(outer.x + ((outer.w - even(w)) >> 1), outer.y + ((outer.h - even(h)) >> 1), w, h);
}

/** A rectangle made smaller by so many pixels on each side. @param {Rect} outer @param {number} by */
export const shrink = (outer, by) => middle(outer, Math.max(0, outer.w - 2 * by), Math.max(0, outer.h - 2 * by));

/** The largest rectangle of this aspect ratio in the middle of another one. @param {Rect} outer @param {number} w @param {number} h */
export function withAspect(outer, w, h) {
  return outer.w * h > outer.h * w
    ? middle(outer, Math.floor(outer.h * w / h), outer.h) : middle(outer, outer.w, Math.floor(outer.w * h / w));
}

/** The even length of `n` parts and of the gap between them. The gap takes a fifth of the whole at most. @param {number} whole @param {number} n @param {number} gap @returns {[number, number]} */
export function divide(whole, n, gap) {
  gap = even(Math.min(gap, Math.floor(whole / (5 * n))));
  return [even(Math.floor((whole - (n - 1) * gap) / n)), gap];
}

/** `n` equal columns. @param {Rect} outer @param {number} n @param {number} gap @returns {Rect[]} */
export function columns(outer, n, gap) {
  const [one, between] = divide(outer.w, n, gap);
  const left = outer.x + even((outer.w - n * one - (n - 1) * between) >> 1);
  return Array.from({ length: n }, (_, i) => ({ ...outer, x: left + i * (one + between), w: one }));
}

/** The rectangle with its axes exchanged. @param {Rect} of @returns {Rect} */
const turned = ({ x, y, w, h }) => ({ x: y, y: x, w: h, h: w });

/** `n` equal rows. @param {Rect} outer @param {number} n @param {number} gap */
export const rows = (outer, n, gap) => columns(turned(outer), n, gap).map(turned);
