// The names on the tiles, and the cards of inputs without a picture.

import { clean, cut, MAX_NAME } from '../../ui/clean.js';
import { even, middle } from '../layout/rect.js';

/** @typedef {import('../layout/rect.js').Rect} Rect */
/** @typedef {OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D} Context */

const FONT = 'system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif';
/** Tiles that are smaller have no name: it could not be read. */
const SMALLEST = { w: 64, h: 48 };
/** Calm colours. An input has the same one in each mix. */
const COLOURS = ['#2f4858', '#335c67', '#3d5a80', '#4a4e69', '#5b4b6b', '#6b4a5a', '#705548', '#5a5f43', '#3f6250', '#365f6b'];
/** Diameter of a card's disc, as a part of the shorter side. */
const DISC = 0.44;

/** The drawn part of a name. @param {string} name */
export function shorten(name) {
  const text = clean(cut(name, 4 * MAX_NAME));
  return [...text].length > MAX_NAME ? `${cut(text, MAX_NAME - 1)}…` : text;
}

/** Up to two letters that stand for a name. @param {string} name */
export function initials(name) {
  const letters = name.split(' ').flatMap((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? []);
  const [first = ''] = letters;
  // Two characters of a Chinese name would be most of it.
  const last = letters.length > 1 && (first.codePointAt(0) ?? 0) < 0x2e80 ? letters.at(-1) : '';
  return (first + last).toUpperCase();
}

/** FNV-1a, as in the gateway: the same input has the same colour there. @param {string} text */
function hash(text) {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum;
}

/** The longest beginning of a text that fits. @param {Context} context @param {string} text @param {number} room */
function fitting(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  const letters = [...text];
  while (letters.length && context.measureText(`${letters.join('')}…`).width > room) letters.pop();
  return letters.length ? `${letters.join('')}…` : '';
}

/** Draws a name into the lower left corner of a tile. @param {Context} context @param {Rect} tile @param {string} name */
export function drawName(context, tile, name) {
  if (tile.w < SMALLEST.w || tile.h < SMALLEST.h) return;
  const px = Math.min(Math.max(tile.h / 15, 13), Math.max(context.canvas.height / 22, 13)) | 0;
  const pad = Math.max(4, even(px / 2));
  context.font = `${Math.round(px * 0.86)}px ${FONT}`;
  const text = fitting(context, shorten(name), tile.w - 4 * pad);
  if (!text) return;
  const height = px + Math.max(4, even(px / 3));
  const [x, y] = [tile.x + pad, tile.y + tile.h - pad - height];
  context.fillStyle = '#00000096';
  context.beginPath();
  context.roundRect(x, y, context.measureText(text).width + 2 * pad, height, height / 4);
  context.fill();
  write(context, text, x + pad, y + height / 2, 'left');
}

/** Fills a tile with the colour of an input, and writes its initials into the middle. @param {Context} context @param {Rect} tile @param {{ id: string, name: string }} source */
export function drawCard(context, tile, { id, name }) {
  context.fillStyle = COLOURS[hash(id) % COLOURS.length] ?? '';
  context.fillRect(tile.x, tile.y, tile.w, tile.h);
  const size = Math.min(tile.w, tile.h) * DISC;
  const disc = middle(tile, size, size);
  const [x, y] = [disc.x + disc.w / 2, disc.y + disc.h / 2];
  context.fillStyle = '#fff3';
  context.beginPath();
  context.arc(x, y, disc.w / 2, 0, 7);
  context.fill();
  context.font = `${Math.round(size * 0.43)}px ${FONT}`;
  write(context, initials(shorten(name)) || initials(shorten(id)), x, y, 'center');
}

/** @param {Context} context @param {string} text @param {number} x @param {number} y the middle @param {CanvasTextAlign} align */
function write(context, text, x, y, align) {
  context.textAlign = align;
  context.textBaseline = 'middle';
  context.fillStyle = '#fff';
  context.fillText(text, x, y);
}
