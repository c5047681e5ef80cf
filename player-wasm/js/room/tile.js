// A tile of the stage: a participant's picture, or the first letter of the name, with icons.

import { h, icon } from '../ui/dom.js';
import { SHAPE } from './icons.js';

/** @typedef {import('../net/room-messages.js').Person} Person */

/** A tile of which a picture would show less than this part is filled by a square of the picture. */
const SHOWN = 0.45;
/** Pixels of width below which a tile has its name only. */
const NARROW = 220;

/** A colour of a participant's own, of 360. @param {string} id */
const hue = (id) => [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);

export class Tile {
  #name = h('span', { class: 'who' });
  #silent = h('span', { class: 'sign', role: 'img' }, icon(SHAPE.silent));
  #hand = h('span', { class: 'sign hand', role: 'img' }, icon(SHAPE.hand));
  #weak = h('span', { class: 'sign weak', role: 'img' }, icon(SHAPE.signal));
  #rate = h('span', { class: 'rate' });
  #letter = h('span', { class: 'letter', 'aria-hidden': 'true' });
  #away = h('span', { class: 'away' });
  /** @type {MediaStreamTrack | null} */
  #track = null;
  #pictured = false;
  video = h('video', { playsinline: true, tabindex: '-1', 'aria-hidden': 'true' });

  /** @param {import('./layout.js').Placed} placed */
  constructor(placed) {
    this.id = placed.id;
    this.person = placed.person;
    this.screen = placed.screen;
    // The audio goes through the graph; attributes alone do not mute an element that a script has made.
    this.video.muted = true;
    this.video.addEventListener('resize', () => this.fit());
    this.node = h('div', { class: 'tile', part: 'tile', role: 'group', style: `--hue:${hue(placed.person)}` },
      this.#letter, this.video, this.#away, h('div', { class: 'label' }, this.#silent, this.#name, this.#weak, this.#rate), this.#hand);
  }

  /** @param {MediaStreamTrack | null} track */
  show(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.video.srcObject = track ? new MediaStream([track]) : null;
    if (track) this.video.play().catch(() => {});
    this.#see();
  }

  #see() { this.node.classList.toggle('seen', this.#pictured && this.#track !== null); }

  /** Crops the picture to the shape of the tile, but not more than to a square: a phone's, and a camera's on a phone. */
  fit() {
    const { videoWidth, videoHeight } = this.video;
    const { clientWidth, clientHeight, classList } = this.node;
    if (!clientWidth || !clientHeight) return;
    classList.toggle('narrow', clientWidth < NARROW);
    const shape = (videoWidth * clientHeight) / (videoHeight * clientWidth);
    classList.toggle('square', Math.min(shape, 1 / shape) < SHOWN);
    classList.toggle('upright', clientHeight > clientWidth);
  }

  /**
   * @param {Person} person
   * @param {object} scene
   * @param {boolean} scene.me
   * @param {boolean} scene.large
   * @param {boolean} scene.mirrored
   * @param {boolean} scene.pictured a picture may be shown
   * @param {number} scene.rate in bits per second; 0: not known
   * @param {(word: string, detail?: string) => string} say
   */
  render(person, { me, large, mirrored, pictured, rate }, say) {
    const { node } = this;
    const name = this.screen ? say('screenOf', person.name) : me ? say('you', person.name) : person.name;
    const silent = !this.screen && !person.audio && !person.encoder;
    node.classList.toggle('large', large);
    node.classList.toggle('mirror', mirrored);
    node.classList.toggle('screen', this.screen);
    this.#pictured = pictured;
    this.#see();
    node.classList.toggle('gone', person.away);
    this.#name.textContent = name;
    this.#letter.textContent = [...person.name.trim()][0]?.toUpperCase() ?? '?';
    this.#silent.hidden = !silent;
    this.#silent.setAttribute('aria-label', say('isMuted'));
    this.#hand.hidden = !person.hand || this.screen;
    this.#hand.setAttribute('aria-label', say('handUp'));
    const weak = person.quality === 'poor' || person.quality === 'bad';
    this.#weak.hidden = !weak || this.screen;
    this.#weak.classList.toggle('bad', person.quality === 'bad');
    this.#weak.setAttribute('aria-label', this.#weak.title = weak ? say(`theirs:${person.quality}`) : '');
    this.#away.textContent = person.away ? say('away') : '';
    this.#rate.textContent = rate > 0 ? rateText(rate) : '';
    node.setAttribute('aria-label', [name, silent && say('isMuted'), person.away && say('away'), !person.video && !person.encoder && !this.screen && say('noPicture')].filter(Boolean).join(', '));
  }
}

/** `1.2 Mb/s` @param {number} rate in bits per second */
export const rateText = (rate) => (rate >= 1e6 ? `${(rate / 1e6).toFixed(1)} Mb/s` : `${Math.round(rate / 1000)} kb/s`);
