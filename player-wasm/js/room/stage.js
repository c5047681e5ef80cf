// The stage: tiles in the layout of the moment.

import { h } from '../ui/dom.js';
import { columns } from './layout.js';
import { Tile } from './tile.js';

/** Milliseconds between two looks at who speaks. */
const LOOK = 150;
/** Level of one's own microphone from which one speaks, of 1. */
const SPEAKS = 0.25;

export class Stage {
  #session; #say;
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** Tracks that came before their tile. @type {Map<string, MediaStreamTrack>} */
  #tracks = new Map();
  #timer = 0;
  /** The tiles as they were arranged. */
  #shape = '';
  /** @type {IntersectionObserver | undefined} */
  #seen;
  /** @type {ResizeObserver | undefined} */
  #sized;
  node = h('div', { class: 'stage tiles', part: 'stage', role: 'group' });
  #main = h('div', { class: 'main' });
  #strip = h('div', { class: 'strip' });

  /**
   * @param {import('./session.js').RoomSession} session
   * @param {() => (word: string, detail?: string) => string} say
   */
  constructor(session, say) {
    this.#session = session;
    this.#say = say;
    this.node.append(this.#main, this.#strip);
    session.addEventListener('picture', (event) => {
      const { tile, track } = /** @type {CustomEvent<{ tile: string, track: MediaStreamTrack | null }>} */ (event).detail;
      if (track) this.#tracks.set(tile, track);
      else this.#tracks.delete(tile);
      this.#tiles.get(tile)?.show(track);
    });
  }

  /** Begins to watch the size of the stage and who speaks. */
  start() {
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#look(), LOOK);
    this.#sized = new ResizeObserver(() => this.#arrange());
    this.#sized.observe(this.node);
    this.#seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const tile = [...this.#tiles.values()].find(({ node }) => node === target);
        if (tile) this.#session.see(tile.id, isIntersecting);
      }
    });
    for (const { node } of this.#tiles.values()) this.#seen.observe(node);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#sized?.disconnect();
    this.#seen?.disconnect();
    for (const tile of this.#tiles.values()) {
      tile.node.remove();
      tile.show(null);
      this.#session.see(tile.id, false);
    }
    this.#tiles.clear();
    this.#tracks.clear();
    this.#shape = '';
  }

  render() {
    if (!this.#timer) return;
    const session = this.#session;
    const { tiles: placed, people, me, publishing } = session;
    const kept = new Set(placed.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (kept.has(id)) continue;
      this.#seen?.unobserve(tile.node);
      session.see(id, false);
      tile.show(null);
      tile.node.remove();
      this.#tiles.delete(id);
      this.#tracks.delete(id);
    }
    const anyLarge = placed.some(({ large }) => large);
    /** @type {HTMLElement[][]} */
    const [main, strip] = [[], []];
    for (const one of placed) {
      const tile = this.#tiles.get(one.id) ?? this.#made(one);
      const person = people.find(({ id }) => id === one.person);
      if (!person) continue;
      const mine = one.person === me?.id;
      if (mine) tile.show((one.screen ? publishing.screen : publishing.stream)?.getVideoTracks()[0] ?? null);
      // What this page does itself is shown at once.
      const shown = mine && !one.screen && session.seated ? { ...person, audio: !publishing.muted && person.audio, video: !publishing.cameraOff } : person;
      tile.render(shown, {
        me: mine, large: one.large, mirrored: mine && !one.screen && publishing.mirrored, pictured: one.screen || shown.video || shown.encoder,
        rate: mine ? publishing.stats?.bitrate ?? 0 : session.rates.get(one.person) ?? 0,
      }, this.#say());
      (one.large || !anyLarge ? main : strip).push(tile.node);
    }
    order(this.#main, main);
    order(this.#strip, strip);
    for (const node of strip) node.style.gridColumnStart = '';
    this.node.classList.toggle('large', anyLarge);
    this.node.dataset.count = String(placed.length);
    this.#strip.hidden = strip.length === 0;
    // To look at sizes is costly: nothing else changes them, but for the size of the stage.
    const shape = [main.length, strip.length, ...placed.map(({ id }) => id)].join();
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#arrange();
  }

  /** @param {import('./layout.js').Placed} placed */
  #made(placed) {
    const tile = new Tile(placed);
    this.#tiles.set(placed.id, tile);
    tile.show(this.#tracks.get(placed.id) ?? null);
    // It counts as visible until the browser says otherwise, which takes some time while much begins.
    this.#session.see(placed.id, true);
    this.#seen?.observe(tile.node);
    return tile;
  }

  #arrange() {
    const { clientWidth: width, clientHeight: height } = this.#main;
    const count = this.#main.childElementCount;
    if (!width || !height || !count) return;
    const across = columns(count, width, height);
    this.#main.style.setProperty('--columns', String(across));
    this.#main.style.setProperty('--rows', String(Math.ceil(count / across)));
    // A row that is not full stands in the middle: a tile is two of the grid's columns wide.
    const rest = count % across;
    [...this.#main.children].forEach((tile, at) => {
      /** @type {HTMLElement} */ (tile).style.gridColumnStart = rest && at === count - rest ? String(1 + across - rest) : '';
    });
    for (const tile of this.#tiles.values()) tile.fit();
  }

  #look() {
    const { audio, me, publishing } = this.#session;
    for (const { id, node, person, screen } of this.#tiles.values()) {
      const speaks = !screen && (person === me?.id ? !publishing.muted && publishing.level > SPEAKS : audio?.speaks(id) ?? false);
      node.classList.toggle('speaks', speaks);
    }
  }
}

/**
 * Puts nodes into an order. A node that is in its place stays: a video that is moved stops for a moment.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} nodes
 */
function order(parent, nodes) {
  nodes.forEach((node, at) => {
    if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] ?? null);
  });
}
