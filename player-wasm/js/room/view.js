// The view of a room: title, stage, panels, buttons and the card before them.

import { h, icon } from '../ui/dom.js';
import { adopt, CSS_TEXT } from '../ui/style.js';
import { announce } from './announce.js';
import { Bar } from './bar.js';
import { Card } from './card.js';
import { SHAPE } from './icons.js';
import { LAYOUTS } from './layout.js';
import { Notices } from './notices.js';
import { Stage } from './stage.js';
import { ROOM_CSS } from './style.js';
import { fetched, speech } from './texts.js';

/** @typedef {import('./bar.js').PanelName} PanelName */
/** @typedef {import('./element.js').SrsRoomElement} SrsRoomElement */

export class RoomView {
  #host; #session; #root;
  #say = speech('');
  /** @type {PanelName | ''} */
  #open = '';
  #unread = 0;
  #timer = 0;
  #named = false;
  #title = h('h2', {});
  #live = h('span', { class: 'badge on' });
  #count = h('span', {});
  #watching = h('span', { class: 'watching' }, icon(SHAPE.eye), this.#count);
  #panelTitle = h('h3', {});
  #closer = h('button', { type: 'button', onclick: () => this.toggle('') }, icon(SHAPE.close));
  #panel = h('aside', { class: 'panel', part: 'panel', hidden: true }, h('header', {}, this.#panelTitle, this.#closer));
  /** @type {import('../types/define-chat.js').SrsChatElement | null} */
  #chat = null;
  /** The other panels, once one was opened. @type {ReturnType<typeof import('./panels.js').panels> | null} */
  #panels = null;
  /** The language whose texts were asked for. @type {string | null} */
  #asked = null;
  notices = new Notices();

  /** @param {SrsRoomElement} host @param {import('./session.js').RoomSession} session @param {ShadowRoot} root */
  constructor(host, session, root) {
    this.#host = host;
    this.#session = session;
    this.#root = root;
    const language = () => this.#say;
    this.stage = new Stage(session, language);
    this.card = new Card(session, { join: () => host.join(), preview: () => void session.publishing.preview() });
    this.bar = new Bar(session, {
      panel: (name) => this.toggle(name), leave: () => void host.leave(),
      layout: () => session.arrange(LAYOUTS[(LAYOUTS.indexOf(session.layout) + 1) % LAYOUTS.length] ?? 'grid'),
    });
    const render = () => this.render();
    announce(session, this.notices, language);
    session.addEventListener('change', render);
    session.connection.addEventListener('chat', () => {
      if (this.#open === 'chat' || !session.inside) return;
      this.#unread++;
      this.render();
    }, { signal: session.signal });
    this.frame = h('div', { class: 'room', part: 'room', role: 'group' },
      h('div', { class: 'top', part: 'top' }, this.#title, this.#live, this.#watching),
      h('div', { class: 'middle' }, this.stage.node, this.notices.node), this.#panel, this.bar.node,
      h('div', { class: 'cover' }, this.card.node));
    root.append(this.frame);
    root.addEventListener('keydown', (event) => this.#key(/** @type {KeyboardEvent} */ (event)));
    globalThis.customElements?.whenDefined('srs-chat').then(render);
    this.settle();
  }

  /** Styles the shadow tree for its document. */
  settle() { adopt(this.#root, CSS_TEXT, ROOM_CSS, ...(this.#panels ? [this.#panels.style] : [])); }

  /** Begins and ends what runs while the element is on the page. @param {boolean} on */
  run(on) {
    clearInterval(this.#timer);
    navigator.mediaDevices?.removeEventListener('devicechange', this.#devices);
    removeEventListener('keydown', this.#stray);
    if (!on) return this.stage.stop();
    this.#timer = setInterval(() => this.#clock(), 1000);
    navigator.mediaDevices?.addEventListener('devicechange', this.#devices);
    addEventListener('keydown', this.#stray);
    return this.render();
  }

  #devices = () => void this.card.devices.render(this.#say).then(() => this.render());

  /** Opens a panel, or closes it if it is open. @param {PanelName | ''} name */
  toggle(name) {
    const before = this.#open;
    this.#open = name === before ? '' : name;
    if (this.#open === 'chat') this.#unread = 0;
    else if (this.#open && !this.#panels) void this.#load();
    this.render();
    if (this.#open) this.#closer.focus({ preventScroll: true });
    else if (before) this.bar.buttons[before]?.focus({ preventScroll: true });
  }

  /** Loads the panels. Without them, the one that was asked for closes, and the next press tries again. */
  async #load() {
    try {
      const { panels } = await import('./panels.js');
      this.#panels ??= panels(this.#session, {
        page: () => this.#host.page, credentials: () => this.#host.token || this.card.secret.value || this.#host.getAttribute('secret') || '',
        open: (name) => this.toggle(name), render: () => this.render(),
      });
      this.settle();
    } catch {
      this.#open = '';
    }
    this.render();
  }

  render() {
    const host = this.#host;
    const session = this.#session;
    const { connection, publishing } = session;
    const say = this.#say = speech(host.lang);
    if (this.#asked !== host.lang) {
      this.#asked = host.lang;
      void fetched(host.lang)?.then((came) => came && this.render());
    }
    const { state } = host;
    const { inside } = session;
    const title = connection.room?.title || host.room;
    if (this.frame.dataset.state !== state) {
      this.frame.dataset.state = state;
      if (inside) this.stage.start();
      else {
        this.stage.stop();
        this.#open = '';
      }
      void this.card.devices.render(say).then(() => this.render());
    }
    this.frame.setAttribute('aria-label', say('room', title));
    this.stage.node.setAttribute('aria-label', say('stage'));
    this.bar.node.setAttribute('aria-label', say('controls'));
    this.#title.textContent = title;
    this.#title.hidden = !inside;
    this.#watching.hidden = !inside || !connection.audience;
    this.#count.textContent = say('watching', String(connection.audience));
    const insecure = globalThis.isSecureContext === false || !navigator.mediaDevices;
    this.card.render({
      title, state, code: session.error?.code ?? '', publishes: host.publishes, secure: insecure ? host.secureAddress : '',
    }, say);
    if (publishing.stream && !this.#named) {
      // Browsers name the devices after the permission.
      this.#named = true;
      this.#devices();
    }
    this.stage.render();
    this.bar.render({ panel: this.#open, cameras: this.card.devices.cameras, chat: Boolean(globalThis.customElements?.get('srs-chat')), unread: this.#unread }, say);
    this.#showPanel(inside);
    this.#clock();
  }

  /** @param {boolean} inside */
  #showPanel(inside) {
    const say = this.#say;
    this.#panel.hidden = !this.#open || !inside;
    if (!this.#open || !inside) {
      this.#panel.lastElementChild !== this.#panel.firstElementChild && this.#panel.lastElementChild?.remove();
      return;
    }
    this.#panelTitle.textContent = say(this.#open);
    this.#panel.setAttribute('aria-label', say(this.#open));
    this.#closer.setAttribute('aria-label', this.#closer.title = say('close'));
    const panel = this.#open === 'chat' ? null : this.#panels?.[this.#open];
    const body = this.#open === 'chat' ? this.#chat ??= this.#newChat() : panel?.node;
    if (this.#panel.lastElementChild !== body && this.#panel.childElementCount > 1) this.#panel.lastElementChild?.remove();
    if (!body) return;
    if (this.#panel.lastElementChild !== body) this.#panel.append(body);
    // The chat gives its connection up when it is taken out.
    if (this.#chat && body === this.#chat) this.#chat.connection = this.#session.connection;
    panel?.render(say);
  }

  /** The chat is an element of its own, which uses this room's connection. */
  #newChat() {
    const chat = /** @type {import('../types/define-chat.js').SrsChatElement} */ (document.createElement('srs-chat'));
    if (this.#host.lang) chat.lang = this.#host.lang;
    return chat;
  }

  /** The time for which the room is broadcast. */
  #clock() {
    const { live, clock } = this.#session.connection;
    this.#live.hidden = !live?.stream || this.#title.hidden;
    if (!live?.stream) return;
    const seconds = Math.max(0, Math.floor((Date.now() + clock - live.since) / 1000));
    const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const text = [...(hours ? [hours] : []), minutes, rest].map((part, at) => (at ? String(part).padStart(2, '0') : part)).join(':');
    this.#live.textContent = `${this.#say('live')} ${text} · ${this.#say('watching', String(live.viewers))}`;
  }

  /** Escape closes the panel also where nothing has the focus: what had it is no longer shown. @param {KeyboardEvent} event */
  #stray = (event) => { if (event.key === 'Escape' && event.target === document.body) this.#key(event); };

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { target, key } = event;
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (key === 'Escape' && this.#open) return this.toggle('');
    if (!this.#session.inside || !(target instanceof Element) || target.matches('input,select,textarea,srs-chat')) return;
    if (this.bar.press(key.toLowerCase())) event.preventDefault();
  }
}
