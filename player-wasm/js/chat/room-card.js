// The card of a room in the list: cover frame, title, hosts, audience.

import { h, icon } from '../ui/dom.js';
import { clean, hueOf } from '../ui/clean.js';
import { short } from './bar.js';
import { draw } from './cover.js';

/**
 * @typedef {{ id: string, name: string, stream: string | null, small: string | null }} Host
 * @typedef {{ name: string, title: string, live: string | null, locked: boolean, audience: number, likes: number, seats: number, since: number, hosts: Host[] }} ListedRoom
 */

const EYE = 'M12 6c4.5 0 8 3.2 9.5 6-1.5 2.8-5 6-9.5 6s-8-3.2-9.5-6C4 9.2 7.5 6 12 6zm0 2.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z';
const LOCK = 'M7 10V8a5 5 0 0 1 10 0v2h1v10H6V10zm2 0h6V8a3 3 0 0 0-6 0z';
/** Milliseconds after which a cover frame is drawn again. */
const FRESH = 60_000;
/** Milliseconds after which a failed cover frame is tried again: the stream may have just started. */
const RETRY = 8_000;
/** Maximum number of hosts whose names are shown. */
const MAX_NAMES = 4;

export class RoomCard {
  #say; #server; #lang;
  /** @type {ListedRoom | null} */
  #room = null;
  /** The time from which a cover frame may be drawn again. */
  #due = 0;
  #busy = false;
  #abort = new AbortController();
  /** Whether the card is visible. */
  seen = false;

  /** @param {{ say: (name: string, detail?: string) => string, server: string, lang: string }} options */
  constructor({ say, server, lang }) {
    this.#say = say;
    this.#server = server;
    this.#lang = lang;
    this.canvas = h('canvas', { width: 480, height: 270, hidden: true });
    this.initials = h('span', { class: 'initials' });
    this.live = h('span', { class: 'live', hidden: true }, say('live'));
    this.count = h('span', { class: 'count' });
    this.title = h('bdi', {});
    this.lock = h('span', { class: 'lock', role: 'img', 'aria-label': say('locks'), title: say('locks'), hidden: true }, icon(LOCK));
    this.hosts = h('span', { class: 'hosts' });
    this.link = h('a', { part: 'card' },
      h('span', { class: 'cover', part: 'cover' }, h('span', { 'aria-hidden': 'true' }, this.initials, this.canvas), this.live,
        h('span', { class: 'audience' }, icon(EYE), this.count)),
      h('span', { class: 'about' }, h('strong', {}, this.title, this.lock), this.hosts));
    this.node = h('li', {}, this.link);
  }

  /** @param {ListedRoom} room */
  render(room) {
    this.#room = room;
    this.link.href = `${this.#server}/rooms/${encodeURIComponent(room.name)}`;
    this.title.textContent = clean(room.title) || clean(room.name);
    const names = room.hosts.slice(0, MAX_NAMES).map(({ name }) => clean(name));
    const more = room.hosts.length - names.length;
    this.hosts.replaceChildren(...names.flatMap((name, at) => [at ? ', ' : '', h('bdi', {}, name)]), more > 0 ? ` +${more}` : '');
    this.initials.replaceChildren(...names.slice(0, 3).map((name) => h('span', {}, [...name][0] ?? '')));
    this.link.style.setProperty('--hue', String(hueOf(room.name)));
    this.live.hidden = !room.live;
    this.lock.hidden = !room.locked;
    this.count.textContent = short(room.audience, this.#lang);
    /** @type {Element} */ (this.count.parentElement).setAttribute('title', this.#say('watching', String(room.audience)));
    this.#cover();
  }

  /** Draws the cover frame if the card is visible and the frame is old. */
  async #cover() {
    const { hosts = [] } = this.#room ?? {};
    const stream = hosts.find(({ small }) => small)?.small ?? hosts.find(({ stream: own }) => own)?.stream ?? this.#room?.live;
    if (!stream || !this.seen || this.#busy || performance.now() < this.#due) return;
    this.#busy = true;
    const there = await draw(this.#server, stream, this.canvas, this.#abort.signal);
    this.#busy = false;
    this.#due = performance.now() + (there ? FRESH : RETRY);
    if (there) this.canvas.hidden = false;
  }

  close() {
    this.#abort.abort();
    this.node.remove();
  }
}
