// Danmaku (弹幕): chat messages that fly over a video, from right to left.

import { newSheet } from '../../ui/sheet.js';
import { h } from '../../ui/dom.js';
import { Lanes } from './lanes.js';

/** Milliseconds in which a message crosses the box. */
const DURATION = 8_000;
/** Maximum number of messages in flight. */
const MAX_FLYING = 40;
/** Maximum milliseconds that a message waits for a free lane. After that it is dropped; the chat still shows it. */
const PATIENCE = 2_000;
/** The share of the box's height that messages use. The rest is for faces and subtitles. */
const PART = 0.7;

const CSS = `
:host{position:absolute;inset:0;overflow:hidden;pointer-events:none;contain:strict;direction:ltr;
font:600 16px/1.5 var(--srs-font,system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif);
container-type:size}
bdi{position:absolute;left:0;top:0;white-space:pre;color:var(--srs-danmaku-color,#fff);opacity:var(--srs-danmaku-opacity,.92);
text-shadow:0 0 3px #000,0 1px 2px #000,0 0 1px #000;padding:0 .3em;will-change:transform;font-size:var(--srs-danmaku-size,clamp(15px,5cqh,28px))}
.own{border:2px solid var(--srs-accent,#4da3ff);border-radius:.4em}
@media (prefers-reduced-motion:reduce){:host{display:none}}
`;

export class Danmaku {
  #layer = h('div', { 'aria-hidden': 'true', class: 'danmaku', part: 'danmaku' });
  #root = this.#layer.attachShadow({ mode: 'open' });
  #lanes = new Lanes(DURATION);
  #still = matchMedia('(prefers-reduced-motion: reduce)');
  #clear = () => this.clear();

  /** @param {HTMLElement} box a positioned element around the video */
  constructor(box) {
    const sheet = newSheet(box.ownerDocument, CSS);
    if (sheet) this.#root.adoptedStyleSheets = [sheet];
    box.append(this.#layer);
    this.#still.addEventListener('change', this.#clear);
  }

  /** Number of messages in flight. */
  get size() { return this.#root.childElementCount; }

  /**
   * Starts a message. Returns false if the viewer prefers no motion, the page is hidden, or no lane is free.
   * @param {string} text
   * @param {boolean} [own] whether the viewer wrote the message
   */
  fly(text, own = false) {
    const { clientWidth: box, clientHeight: height } = this.#layer;
    if (this.#still.matches || document.hidden || !box || this.size >= MAX_FLYING) return false;
    const line = h('bdi', { dir: 'auto', class: own && 'own' }, text);
    this.#root.append(line);
    const { offsetWidth: width, offsetHeight: size } = line;
    const count = Math.max(1, Math.floor(height * PART / size));
    const place = this.#lanes.place(performance.now(), width, box, count, PATIENCE);
    if (!place) {
      line.remove();
      return false;
    }
    const y = place.lane * size;
    line.animate([{ transform: `translate(${box}px,${y}px)` }, { transform: `translate(${-width}px,${y}px)` }],
      { duration: DURATION, delay: place.wait, fill: 'both' }).finished.then(() => line.remove(), () => line.remove());
    return true;
  }

  clear() {
    this.#root.replaceChildren();
    this.#lanes.clear();
  }

  /** Removes the layer. */
  close() {
    this.#still.removeEventListener('change', this.#clear);
    this.#layer.remove();
  }
}
