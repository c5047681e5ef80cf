// The picture of the mix: keeps the inputs' newest pictures, and draws what has changed.

import { LOOK } from '../layout/look.js';
import { Speaker, SILENT } from '../layout/speaker.js';
import { tiles } from '../layout/tiles.js';
import { drawCard, drawName } from './names.js';
import { drawPicture } from './picture.js';

/** @typedef {import('../../types/define-mixer.js').MixLook} MixLook */
/** @typedef {{ id: string, name: string, screen: boolean, hidden: boolean }} SceneSource */
/** @typedef {{ level: number, live: boolean }} SourceState live: its pictures come, as far as the page knows */
/** @typedef {import('./picture.js').Picture & { version: number }} ShownPicture version: changes with the image; NaN: it may have changed */
/** @typedef {SceneSource & { level: number, picture?: ShownPicture }} Present */

/** Colour of the border of the input that speaks. */
const BORDER = '#3dd68c';
/** Milliseconds of a fade. */
const FADE = 200;
/** Milliseconds for which the last picture of an input is kept when no more come. */
const KEEP = 1000;

export class Scene {
  /** @type {MixLook} */
  look = LOOK;
  /** The position of the speaker among the inputs; -1: none. */
  speaker = -1;
  #context; #before; #small;
  #loudest = new Speaker();
  /** @type {SceneSource[]} */
  #sources = [];
  /** @type {Map<string, SourceState & { since: number }>} */
  #states = new Map();
  /** @type {Map<string, ShownPicture>} */
  #pictures = new Map();
  #drop;
  /** The scene that was drawn last, and each of its tiles. */
  #key = '';
  /** @type {{ look: string, version: number }[]} */
  #drawn = [];
  #fadeFrom = -Infinity;

  /**
   * @param {number} width
   * @param {number} height
   * @param {(width: number, height: number) => OffscreenCanvas | HTMLCanvasElement} canvas makes one
   * @param {(image: CanvasImageSource) => void} drop a picture is not needed any more
   */
  constructor(width, height, canvas, drop) {
    const context = (/** @type {number} */ w, /** @type {number} */ h) =>
      /** @type {import('./names.js').Context} */ (canvas(w, h).getContext('2d', { alpha: false }));
    this.#context = context(width, height);
    this.#before = context(width, height);
    this.#small = context(32, 32);
    this.#drop = drop;
  }

  get canvas() { return this.#context.canvas; }

  /** @param {SceneSource[]} sources */
  set sources(sources) {
    this.#sources = sources;
    for (const id of [...this.#pictures.keys()]) if (!sources.some((one) => one.id === id)) this.show(id, null);
  }

  /** @param {Record<string, SourceState>} states @param {number} now */
  update(states, now) {
    this.#states = new Map(Object.entries(states).map(([id, state]) => {
      const before = this.#states.get(id);
      return [id, { ...state, since: before?.live === state.live ? before.since : now }];
    }));
  }

  /** @param {string} id @param {ShownPicture | null} picture */
  show(id, picture) {
    const before = this.#pictures.get(id);
    if (before && before.image !== picture?.image) this.#drop(before.image);
    if (picture) this.#pictures.set(id, picture);
    else this.#pictures.delete(id);
  }

  /** Draws the picture of this moment. Returns whether it differs from the one before. @param {number} now milliseconds */
  draw(now) {
    const { layout, margin, gap, background, border, fade } = this.look;
    const context = this.#context;
    const { width, height } = context.canvas;
    const sources = this.#present(now);
    const { at, speaks } = this.#loudest.update(sources, now);
    this.speaker = at;
    const placed = tiles(layout, sources, at, { width, height, margin, gap });
    this.#begin(placed, sources, now);
    const drawn = placed.map((tile) => {
      const source = /** @type {Present} */ (sources[tile.source]);
      const { picture, name, screen } = source;
      // The only input needs no border.
      const outlined = speaks && border && tile.source === at && placed.length > 1;
      return { tile, source, outlined, version: picture?.version ?? 0, look: `${name} ${screen} ${outlined} ${picture?.width} ${picture?.height}` };
    });
    const stale = drawn.filter(({ look, version }, n) => look !== this.#drawn[n]?.look || version !== this.#drawn[n]?.version);
    const fading = fade && now - this.#fadeFrom < FADE;
    // After a fade the canvas still has some of the old scene.
    const all = fading || !this.#drawn.length || (stale.length > 0 && overlap(placed));
    if (all) {
      context.fillStyle = background;
      context.fillRect(0, 0, width, height);
    }
    for (const { tile, source, outlined } of all ? drawn : stale) this.#tile(tile, source, outlined);
    this.#drawn = drawn.map(({ look, version }) => ({ look, version }));
    if (fading) this.#fade((now - this.#fadeFrom + 1) / FADE);
    return all || stale.length > 0;
  }

  /** The inputs as they are at this moment. @param {number} now @returns {Present[]} */
  #present(now) {
    return this.#sources.map((source) => {
      const { level = SILENT, live = false, since = now } = this.#states.get(source.id) ?? {};
      if (!live && now - since >= KEEP) this.show(source.id, null);
      return { ...source, level, picture: this.#pictures.get(source.id) };
    });
  }

  /** Begins a fade if it is another scene than the one before. @param {import('../layout/tiles.js').Tile[]} placed @param {Present[]} sources @param {number} now */
  #begin(placed, sources, now) {
    const { names, background, fade } = this.look;
    const key = JSON.stringify([names, background, placed.map((tile) => [tile, sources[tile.source]?.id, !sources[tile.source]?.picture])]);
    if (key === this.#key) return;
    // A picture of the old scene is enough: an input that has left is not needed.
    if (this.#key && fade) {
      this.#before.drawImage(this.#context.canvas, 0, 0);
      this.#fadeFrom = now;
    }
    this.#key = key;
    this.#drawn = [];
  }

  /** Mixes the old scene into the new one. @param {number} part of the fade that is over */
  #fade(part) {
    const context = this.#context;
    const passed = Math.min(1, part);
    // It begins and ends slowly.
    context.globalAlpha = 1 - passed * passed * (3 - 2 * passed);
    context.drawImage(this.#before.canvas, 0, 0);
    context.globalAlpha = 1;
    this.#drawn = [];
  }

  /** @param {import('../layout/tiles.js').Tile} tile @param {Present} source @param {boolean} outlined */
  #tile({ rect, fit }, source, outlined) {
    const context = this.#context;
    let covered = rect;
    if (source.picture) {
      context.fillStyle = this.look.background;
      if (source.screen || fit === 'contain') context.fillRect(rect.x, rect.y, rect.w, rect.h);
      covered = drawPicture(context, source.picture, rect, fit, source.screen, this.#small);
    } else {
      drawCard(context, rect, source);
    }
    if (this.look.names) drawName(context, covered, source.name);
    if (!outlined) return;
    const { width, height } = context.canvas;
    const thickness = Math.max(2, 2 * Math.floor(Math.min(width, height) / 360));
    context.strokeStyle = BORDER;
    context.lineWidth = thickness;
    context.strokeRect(covered.x + thickness / 2, covered.y + thickness / 2, covered.w - thickness, covered.h - thickness);
  }
}

/** Whether tiles lie on each other. @param {import('../layout/tiles.js').Tile[]} all */
const overlap = (all) => all.some(({ rect: a }, n) => all.slice(n + 1).some(({ rect: b }) =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h));
