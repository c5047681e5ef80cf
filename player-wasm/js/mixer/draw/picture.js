// Draws the picture of an input into its tile.

import { middle, rect, withAspect } from '../layout/rect.js';

/** @typedef {import('../layout/rect.js').Rect} Rect */
/** @typedef {import('./names.js').Context} Context */
/** @typedef {{ image: CanvasImageSource, width: number, height: number }} Picture */

/** Width of the picture behind a camera in portrait format, before it is enlarged to the tile: its blur. */
const BLURRED = 32;
/** How much of that picture's brightness is taken away. */
const DIM = '#00000092';

/**
 * Which part of a picture is drawn, and where. A shared screen is shown whole, a camera fills its tile. A camera in
 * portrait format is shown whole in a tile in landscape format, before its own blurred picture.
 * @param {Picture} picture
 * @param {Rect} tile
 * @param {string} fit
 * @param {boolean} screen
 * @returns {{ crop: Rect, at: Rect, blurred: boolean }}
 */
export function placed({ width, height }, tile, fit, screen) {
  const whole = rect(0, 0, width, height);
  const portrait = fit === 'auto' && !screen && whole.w < whole.h && tile.w > tile.h;
  if (portrait || fit === 'contain' || (fit === 'auto' && screen)) return { crop: whole, at: withAspect(tile, whole.w, whole.h), blurred: portrait };
  return { crop: fit === 'stretch' ? whole : withAspect(whole, tile.w, tile.h), at: tile, blurred: false };
}

/**
 * Returns the part of the canvas that is covered.
 * @param {Context} context
 * @param {Picture} picture
 * @param {Rect} tile
 * @param {string} fit
 * @param {boolean} screen
 * @param {Context} small draws the blurred picture
 */
export function drawPicture(context, picture, tile, fit, screen, small) {
  const { crop, at, blurred } = placed(picture, tile, fit, screen);
  if (blurred) {
    const part = withAspect(rect(0, 0, picture.width, picture.height), tile.w, tile.h);
    const tiny = middle(rect(0, 0, BLURRED, BLURRED), BLURRED, BLURRED * tile.h / tile.w);
    copy(small, picture.image, part, { ...tiny, x: 0, y: 0 });
    copy(context, small.canvas, { ...tiny, x: 0, y: 0 }, tile);
    context.fillStyle = DIM;
    context.fillRect(tile.x, tile.y, tile.w, tile.h);
  }
  copy(context, picture.image, crop, at);
  return blurred ? tile : at;
}

/** @param {Context} context @param {CanvasImageSource} image @param {Rect} from @param {Rect} to */
const copy = (context, image, from, to) => context.drawImage(image, from.x, from.y, from.w, from.h, to.x, to.y, to.w, to.h);
