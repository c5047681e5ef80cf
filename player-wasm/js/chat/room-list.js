// <srs-room-list>: lists the open rooms of a gateway.

import { h, tell } from '../ui/dom.js';
import { cut } from '../ui/clean.js';
import { adopt, CSS_TEXT } from '../ui/style.js';
import { LIST_CSS } from './list-style.js';
import { RoomCard } from './room-card.js';
import { speech } from './texts.js';

const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

/** Milliseconds between requests, while the page is visible. */
const OFTEN = 5_000;
/** Timeout of a request in milliseconds. */
const PATIENCE = 10_000;
/** Maximum number of rooms that are shown. */
const MAX_ROOMS = 200;
/** Maximum length of a room's name. */
const MAX_NAME = 64;

/** Returns whether a text can be a room name in an address. @param {string} text */
export const roomName = (text) => cut(text.trim().replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, ''), MAX_NAME);

export class SrsRoomListElement extends Base {
  static observedAttributes = ['server', 'prefix', 'lang'];

  #status; #list; #none; #how; #field; #label; #button; #start;
  /** @type {Map<string, RoomCard>} */
  #cards = new Map();
  #timer = 0;
  #asking = false;
  #pending = false;
  /** Observes which cards are visible. @type {IntersectionObserver | undefined} */
  #sight;
  #visible = () => { if (!document.hidden) this.#look(); };

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    this.#status = h('p', { class: 'status', role: 'status', hidden: true });
    this.#list = h('ul', { part: 'list', hidden: true });
    this.#none = h('h2', {});
    this.#how = h('p', {});
    this.#field = h('input', { type: 'text', id: 'name', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', required: true });
    this.#label = h('label', { for: 'name' });
    this.#button = h('button', { type: 'submit', class: 'primary' });
    this.#start = h('form', { class: 'start', part: 'start', hidden: true, onsubmit: (/** @type {Event} */ event) => this.#open(event) },
      this.#none, this.#how, h('div', { class: 'entry' }, this.#label, this.#field, this.#button));
    root.append(this.#status, this.#list, this.#start);
    adopt(root, CSS_TEXT, LIST_CSS);
    this.#translate();
  }

  connectedCallback() {
    this.#sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const card = [...this.#cards.values()].find(({ node }) => node === target);
        if (card) card.seen = isIntersecting;
      }
      this.#look();
    }, { rootMargin: '100px' });
    for (const { node } of this.#cards.values()) this.#sight.observe(node);
    document.addEventListener('visibilitychange', this.#visible);
    this.#timer = window.setInterval(this.#visible, OFTEN);
    this.#look();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    document.removeEventListener('visibilitychange', this.#visible);
    this.#sight?.disconnect();
    this.#show([]);
  }

  adoptedCallback() { adopt(/** @type {ShadowRoot} */ (this.shadowRoot), CSS_TEXT, LIST_CSS); }

  attributeChangedCallback() {
    this.#translate();
    for (const card of this.#cards.values()) card.close();
    this.#cards.clear();
    if (this.isConnected) this.#look();
  }

  get server() { return this.getAttribute('server') ?? ''; }
  set server(value) { this.setAttribute('server', value); }

  /** Prefix of the names of the rooms to show, such as `news/`, if several sites share a gateway. */
  get #begin() { return this.getAttribute('prefix') ?? ''; }

  /** Returns the gateway's address without a slash at its end. */
  get #home() { return new URL(this.server || location.origin, document.baseURI).href.replace(/\/+$/, ''); }

  /** Requests the list, one request at a time. Calls during a request cause one more request. */
  #look() {
    if (this.#pending) return;
    this.#pending = true;
    queueMicrotask(async () => {
      this.#pending = false;
      if (this.#asking || !this.isConnected) return;
      this.#asking = true;
      const home = this.#home;
      try {
        const response = await fetch(`${home}/api/v1/rooms`, { signal: AbortSignal.timeout?.(PATIENCE) });
        const { rooms } = await response.json();
        if (!Array.isArray(rooms)) throw new Error('no list');
        const own = rooms.filter((/** @type {import('./room-card.js').ListedRoom} */ { name }) => name.startsWith(this.#begin));
        if (home === this.#home && this.isConnected) this.#show(own.slice(0, MAX_ROOMS));
        tell(this.#status, '');
      } catch {
        tell(this.#status, speech(this.lang)('unreached'));
      }
      this.#asking = false;
    });
  }

  /** @param {import('./room-card.js').ListedRoom[]} rooms */
  #show(rooms) {
    for (const [name, card] of this.#cards) {
      if (rooms.some((room) => room.name === name)) continue;
      card.close();
      this.#cards.delete(name);
    }
    for (const [at, room] of rooms.entries()) {
      let card = this.#cards.get(room.name);
      if (!card) {
        card = new RoomCard({ say: speech(this.lang), server: this.#home, lang: this.lang });
        this.#cards.set(room.name, card);
        this.#sight?.observe(card.node);
      }
      card.render(room);
      // Use the gateway's order. Do not move a card that is in its place, because it may have the focus.
      if (this.#list.children[at] !== card.node) this.#list.insertBefore(card.node, this.#list.children[at] ?? null);
    }
    this.#list.hidden = rooms.length === 0;
    this.#start.hidden = false;
    this.#start.classList.toggle('first', rooms.length === 0);
    this.#how.hidden = rooms.length > 0;
    this.#none.textContent = speech(this.lang)(rooms.length ? 'another' : 'noRooms');
  }

  #translate() {
    const say = speech(this.lang);
    this.#list.setAttribute('aria-label', say('rooms'));
    this.#how.textContent = say('start');
    this.#label.textContent = say('roomName');
    this.#button.textContent = say('open');
    this.#none.textContent = say(this.#cards.size ? 'another' : 'noRooms');
  }

  /** @param {Event} event */
  #open(event) {
    event.preventDefault();
    const name = roomName(this.#field.value);
    if (name) location.assign(`${this.#home}/rooms/${encodeURIComponent(this.#begin + name)}`);
    else this.#field.focus();
  }
}
