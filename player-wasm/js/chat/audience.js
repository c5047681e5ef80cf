// <srs-audience>: the page of a room for people without a seat. It shows the broadcast or the speaker, and the chat.

import { h, icon, tell } from '../ui/dom.js';
import { clean } from '../ui/clean.js';
import { adopt, CSS_TEXT } from '../ui/style.js';
import { AUDIENCE_CSS } from './audience-style.js';
import { Choice } from './choose.js';
import { Danmaku } from './flying/danmaku.js';
import { speech } from './texts.js';

/** @typedef {import('../types/index.js').SrsPlayerElement} SrsPlayerElement */
/** @typedef {import('../room/connection.js').RoomConnection} RoomConnection */

const Host = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

const FLYING = 'M4 6h10v2H4zm8 5h8v2h-8zM4 11h6v2H4zm0 5h12v2H4z';
/** Storage key: whether the viewer wants flying messages. */
const KEY = 'lianmai danmaku';
/** Attributes that are copied to the chat. */
const PASSED = ['room', 'server', 'name', 'token', 'secret', 'invite', 'lang'];

export class SrsAudienceElement extends Host {
  static observedAttributes = PASSED;

  #player; #chat; #title; #who; #flying; #live; #nobody;
  /** @type {RoomConnection | null} */
  #connection = null;
  /** @type {Danmaku | null} */
  #danmaku = null;
  #choice = new Choice();
  #address = '';
  #timer = 0;
  #off = new AbortController();
  #say = (/** @type {string} */ name, detail = '') => speech(this.lang)(name, detail);

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    this.#player = /** @type {SrsPlayerElement} */ (document.createElement('srs-player'));
    for (const name of ['controls', 'autoplay']) this.#player.setAttribute(name, '');
    this.#chat = /** @type {import('./element.js').SrsChatElement} */ (document.createElement('srs-chat'));
    this.#title = h('h1', {}, h('bdi', {}));
    this.#who = h('p', { class: 'who' });
    this.#nobody = h('p', { class: 'nobody', role: 'status' });
    this.#live = h('span', { class: 'on-air', hidden: true });
    this.#flying = h('button', { type: 'button', class: 'flying', onclick: () => this.#fly(this.#danmaku === null) }, icon(FLYING), h('span', {}));
    root.append(h('div', { class: 'view' },
      h('div', { class: 'stage-side' }, h('div', { class: 'screen' }, this.#player, this.#nobody),
        h('div', { class: 'about' }, h('div', {}, this.#title, this.#who), this.#live, h('span', { class: 'gap' }), this.#flying)),
      this.#chat));
    this.#chat.addEventListener('connection', () => this.#use(this.#chat.connection));
    this.#chat.addEventListener('message', (event) => {
      const { text, id } = /** @type {CustomEvent} */ (event).detail;
      this.#danmaku?.fly(clean(text), id === this.#chat.me?.id);
    });
    this.#chat.addEventListener('stage', (event) => this.#staged(/** @type {CustomEvent} */ (event)));
    adopt(root, CSS_TEXT, AUDIENCE_CSS);
    this.#translate();
  }

  connectedCallback() {
    let wanted = '';
    try {
      wanted = localStorage.getItem(KEY) ?? '';
    } catch {
      // Without storage, show flying messages.
    }
    void customElements.whenDefined('srs-player').then(() => { if (this.isConnected) this.#fly(wanted !== 'off'); });
  }

  adoptedCallback() { adopt(/** @type {ShadowRoot} */ (this.shadowRoot), CSS_TEXT, AUDIENCE_CSS); }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#danmaku?.close();
    this.#danmaku = null;
  }

  /** @param {string} name @param {string | null} _old @param {string | null} value */
  attributeChangedCallback(name, _old, value) {
    if (value === null) this.#chat.removeAttribute(name);
    else this.#chat.setAttribute(name, value);
    if (name === 'lang') {
      this.#player.setAttribute('lang', value ?? '');
      this.#translate();
    }
  }

  // The chat opens the connection.
  get token() { return this.#chat.token; }
  set token(value) { this.#chat.token = value; }

  /** Returns the `<srs-chat>` and the `<srs-player>` inside. */
  get chat() { return this.#chat; }
  get player() { return this.#player; }
  get connection() { return this.#connection; }

  get #home() { return new URL(this.getAttribute('server') || location.origin, document.baseURI).href.replace(/\/+$/, ''); }

  /** @param {RoomConnection | null} connection */
  #use(connection) {
    this.#off.abort();
    this.#connection = connection;
    const { signal } = this.#off = new AbortController();
    for (const type of ['welcome', 'person', 'left', 'speaker', 'live', 'settings', 'state']) {
      connection?.addEventListener(type, () => this.#render(), { signal });
    }
    this.#render();
  }

  #render() {
    const connection = this.#connection;
    if (!connection?.me) return;
    const { room, people, live, me } = connection;
    const now = performance.now();
    const stream = connection.state === 'refused' || connection.state === 'closed' ? '' : this.#choice.stream(connection, now);
    this.#play(stream, me.key);
    clearTimeout(this.#timer);
    // The speaker may have changed during the minimum time for which a speaker is shown.
    if (!live && this.#choice.rest(now)) this.#timer = window.setTimeout(() => this.#render(), this.#choice.rest(now));
    const title = clean(room?.title) || clean(room?.name);
    /** @type {Element} */ (this.#title.firstChild).textContent = title;
    const names = [...people.values()].filter(({ role }) => role === 'host' || role === 'guest').map(({ name }) => clean(name));
    tell(this.#who, names.join(', '));
    this.#live.hidden = !live;
  }

  /** @param {string} stream empty for none @param {string} key that allows playing */
  #play(stream, key) {
    const path = stream.split('/').map(encodeURIComponent).join('/');
    const address = stream && `${this.#home}/${path}/whep${key ? `?seat=${encodeURIComponent(key)}` : ''}`;
    if (address === this.#address) return;
    this.#address = address;
    if (address) this.#player.setAttribute('url', address);
    else this.#player.removeAttribute('url');
    tell(this.#nobody, address ? '' : this.#say('nobody'));
  }

  /** Shows or hides flying messages. @param {boolean} on */
  #fly(on) {
    this.#danmaku?.close();
    const box = this.#player.video?.parentElement;
    this.#danmaku = on && box ? new Danmaku(box) : null;
    this.#flying.setAttribute('aria-pressed', String(this.#danmaku !== null));
    try {
      localStorage.setItem(KEY, on ? 'on' : 'off');
    } catch {
      // Private windows may have no storage.
    }
  }

  /** Handles a seat for the viewer: opens the room's own page, unless the page prevents it. @param {CustomEvent} event */
  #staged(event) {
    const { role, room } = event.detail;
    if (role !== 'host' && role !== 'guest') return;
    queueMicrotask(() => { if (!event.defaultPrevented) location.assign(`${this.#home}/rooms/${encodeURIComponent(room)}`); });
  }

  #translate() {
    /** @type {Element} */ (this.#flying.lastChild).textContent = this.#say('flying');
    this.#live.textContent = this.#say('live');
    tell(this.#nobody, this.#address ? '' : this.#say('nobody'));
  }
}
