// Pictures of the streams that are in sight, where the gateway makes pictures: in turn, so that all appear evenly.

import { path } from './api.js';
import { ROOT, h } from './dom.js';
import { hasPictures } from './extras.js';
import { derived } from './state.js';

/** Milliseconds between two pictures of a stream. */
const EVERY_MS = 10_000;
/** Milliseconds until the next try where there was no picture. */
const AGAIN_MS = 3000;
/** Pictures that are fetched at once: the gateway makes so many at once, and a browser has few connections for a host. */
const AT_ONCE = 2;

/** Pictures that wait for their turn, at most one for each card. @type {Set<Picture>} */
const waiting = new Set();
let running = 0;

async function next() {
  const [first] = waiting;
  if (!first || running >= AT_ONCE) return;
  waiting.delete(first);
  running += 1;
  await first.fetch();
  running -= 1;
  void next();
}

/** The picture of a stream. */
export class Picture {
  #name; #screen;
  #inSight = false;
  #ended = false;
  /** Time of the next picture. */
  #due = 0;
  #observer = new IntersectionObserver((entries) => { this.#inSight = entries[entries.length - 1].isIntersecting; });

  /** @param {string} name @param {HTMLElement} screen */
  constructor(name, screen) {
    this.#name = name;
    this.#screen = screen;
    this.#observer.observe(screen.parentElement ?? screen);
  }

  get #wanted() { return this.#inSight && !this.#ended && !this.#screen.querySelector('srs-player'); }

  /** Asks for a picture if one is due. */
  update() {
    if (!this.#wanted || Date.now() < this.#due || waiting.has(this)) return;
    waiting.add(this);
    void next();
  }

  /** Fetches a picture. The old one stays until the new one is complete. */
  async fetch() {
    this.#due = Date.now() + AGAIN_MS;
    // A stream needs a moment before it has a picture.
    if (!this.#wanted || derived(this.#name).fps === 0 || !await hasPictures(this.#name)) return;
    const image = h('img', { alt: '', src: new URL(`${path(this.#name)}.jpg?at=${Date.now()}`, ROOT).href });
    try {
      await image.decode();
    } catch {
      return;
    }
    this.#due = Date.now() + EVERY_MS;
    this.#screen.querySelector('img')?.remove();
    this.#screen.prepend(image);
  }

  end() {
    this.#ended = true;
    waiting.delete(this);
    this.#observer.disconnect();
  }
}
