// <srs-chat>: the chat of a room, for the audience and for hosts.
//
// The chat uses the connection that the page gives it, or opens its own connection and joins as audience.

import { h, icon, tell } from '../ui/dom.js';
import { clean } from '../ui/clean.js';
import { adopt, CSS_TEXT } from '../ui/style.js';
import { upgrade } from '../ui/upgrade.js';
import { RANK, Share, socketAddress } from '../room/share.js';
import { Bar, short } from './bar.js';
import { Compose } from './compose.js';
import { Lines } from './lines.js';
import { Menu } from './menu.js';
import { ownName } from './own-name.js';
import { Settings } from './settings.js';
import { CHAT_CSS } from './style.js';
import { speech } from './texts.js';

/** @typedef {import('../room/connection.js').RoomConnection} RoomConnection */
/** @typedef {import('../net/room-messages.js').ChatMessage} ChatMessage */

// On a server there are no elements; importing this module must work there too.
const Host = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

const EYE = 'M12 6c4.5 0 8 3.2 9.5 6-1.5 2.8-5 6-9.5 6s-8-3.2-9.5-6C4 9.2 7.5 6 12 6zm0 2.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z';
/** Types of requests whose errors this element shows. */
const OURS = ['chat', 'delete', 'silence', 'remove', 'like', 'hand', 'accept', 'decline', 'invite', 'settings', 'join'];
/** Errors after which the connection tries to join again. */
const TEMPORARY = ['no_room', 'full', 'locked'];
/** Attributes with which the element joins. */
const JOINS = ['room', 'server', 'as', 'token', 'secret', 'invite'];

export class SrsChatElement extends Host {
  static observedAttributes = [...JOINS, 'name', 'lang'];

  #lines; #menu; #settings; #bar; #compose; #title; #watching; #status;
  /** @type {RoomConnection | null} */
  #connection = null;
  /** The connection that the element has opened; null if the page has given a connection. @type {Share | null} */
  #share = null;
  /** Token or invitation from the page. It is never written into an attribute. @type {import('../net/token-ask.js').Token | null} */
  #token = null;
  #pending = false;
  /** The last sent message, until the room sends it back. */
  #sent = '';
  /** A message that waits until the room knows the person's name. */
  #queued = '';
  /** Whether the current name was made up. The person must enter a name before the first message. */
  #nameless = false;
  /** Removes the listeners on the connection. */
  #off = new AbortController();
  #say = (/** @type {string} */ name, detail = '') => speech(this.lang)(name, detail);

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const send = (/** @type {{ type: string } & Record<string, unknown>} */ message) => {
      if (!this.#connection?.send(message) && message.type !== 'like') this.#compose.tell(this.#say('unsent'));
    };
    const say = this.#say;
    this.#lines = new Lines({ say, may: (message) => this.#may(message), open: (message, line) => { if (this.me) this.#menu.open(message, line, this.me); } });
    this.#menu = new Menu({ say, send });
    this.#settings = new Settings({ say, send });
    this.#bar = new Bar({ say, send, rename: () => this.#rename(), lang: () => this.lang });
    this.#compose = new Compose({ say, send: (text, name) => this.#write(text, name) });
    this.#title = h('strong', { id: 'title' });
    this.#watching = h('span', { class: 'watching', role: 'img', hidden: true }, icon(EYE), h('span', {}));
    this.#status = h('p', { class: 'status', role: 'status', hidden: true });
    root.append(h('section', { class: 'chat', part: 'chat', 'aria-labelledby': 'title' },
      h('div', { class: 'head', part: 'head' }, this.#title, h('span', { class: 'gap' }), this.#watching, this.#settings.button),
      this.#settings.panel, this.#status, this.#lines.node, this.#menu.node, this.#bar.dialog, this.#compose.node, this.#bar.node));
    this.#dress();
    this.#translate();
  }

  connectedCallback() {
    upgrade(this, ['connection', 'room', 'server', 'name', 'token']);
    this.#change();
  }

  /** Creates the style sheets again: a sheet belongs to one document. */
  adoptedCallback() { this.#dress(); }

  disconnectedCallback() {
    // An element that moves within the page continues.
    queueMicrotask(() => { if (!this.isConnected) this.#drop(); });
  }

  /** @param {string} name @param {string | null} old @param {string | null} value */
  attributeChangedCallback(name, old, value) {
    if (old === value) return;
    if (name === 'lang') this.#translate();
    else if (this.#share) {
      this.#drop();
      this.#change();
    } else this.#change();
  }

  get room() { return this.getAttribute('room') ?? ''; }
  set room(value) { this.setAttribute('room', value); }
  get server() { return this.getAttribute('server') ?? ''; }
  set server(value) { this.setAttribute('server', value); }
  get name() { return this.getAttribute('name') ?? ''; }
  set name(value) { this.setAttribute('name', value); }

  get token() { return this.#token ?? this.getAttribute('token') ?? ''; }
  set token(value) { this.#token = value; }

  /** The reader as a participant of the room; null before the welcome of the gateway. */
  get me() { return this.#connection?.me ?? null; }

  /** The connection that the element uses. The page may set it, for example to the connection of an `<srs-room>`. */
  get connection() { return this.#connection; }
  set connection(connection) {
    if (connection === this.#connection) return;
    this.#drop();
    if (connection) this.#use(connection);
    else this.#change();
  }

  /** Joins when the attributes are complete. Several attributes may change at once. */
  #change() {
    if (this.#pending) return;
    this.#pending = true;
    queueMicrotask(() => {
      this.#pending = false;
      if (!this.isConnected || this.#connection || !this.room) return;
      const own = this.name || ownName();
      this.#nameless = !own;
      this.#share = new Share(socketAddress(this.server, this.room), own ? RANK.named : RANK.nameless);
      this.#share.join(this.#options(own));
      this.#use(this.#share.connection);
    });
  }

  /** @param {string} name empty to make up a name */
  #options(name) {
    const attribute = (/** @type {string} */ of) => this.getAttribute(of) || undefined;
    const role = /** @type {import('../net/room-messages.js').Role} */ (attribute('as') ?? 'audience');
    return { name: name || `${this.#say('viewer')} ${1000 + Math.floor(Math.random() * 9000)}`, role, invite: attribute('invite'), token: this.token || undefined, secret: attribute('secret') };
  }

  /** @param {RoomConnection} connection */
  #use(connection) {
    this.#connection = connection;
    const { signal } = this.#off = new AbortController();
    /** @type {(type: string, take: (detail: any) => void) => void} */
    const on = (type, take) => connection.addEventListener(type, (event) => take(/** @type {CustomEvent} */ (event).detail), { signal });
    on('state', () => this.#render());
    on('welcome', () => this.#joined());
    on('chat', (/** @type {ChatMessage} */ message) => this.#received(message));
    on('deleted', ({ seq }) => this.#lines.remove(seq));
    on('invited', ({ by }) => this.#bar.invite(connection.people.get(by)?.name ?? by));
    on('seat', ({ role }) => this.#seated(role));
    on('silenced', ({ until }) => this.#silenced(until));
    on('error', (detail) => this.#wrong(detail));
    for (const type of ['person', 'left', 'settings', 'audience']) on(type, () => this.#render());
    this.dispatchEvent(new Event('connection'));
    if (connection.me) this.#joined();
    else this.#render();
  }

  #joined() {
    const { chat = [], people, me } = this.#connection ?? {};
    this.#lines.refresh();
    this.#lines.fill(chat);
    this.#lines.toEnd();
    const own = me && people?.get(me.id);
    // The gateway does not repeat who has asked.
    const host = [...people?.values() ?? []].find(({ role }) => role === 'host');
    if (own?.invited && me?.role === 'audience') this.#bar.invite(host?.name ?? this.#say('host'));
    this.#render();
    if (!this.#queued) return;
    this.#connection?.send({ type: 'chat', text: this.#queued });
    this.#queued = '';
  }

  /** @param {ChatMessage} message */
  #received(message) {
    if (message.id === this.me?.id) this.#sent = '';
    this.#lines.add(message);
    this.dispatchEvent(new CustomEvent('message', { detail: message }));
  }

  /** Handles a changed role: hosts and guests go on the stage. @param {string} role */
  #seated(role) {
    const { me } = this;
    this.#lines.refresh();
    this.#render();
    if (role === 'audience') this.#compose.tell(this.#say('stopped'));
    if (me) this.dispatchEvent(new CustomEvent('stage', { bubbles: true, composed: true, cancelable: true, detail: { role, id: me.id, key: me.key, room: this.room || this.#connection?.room?.name } }));
  }

  /** @param {number} until milliseconds since 1970, by the gateway's clock */
  #silenced(until) {
    const { clock = 0 } = this.#connection ?? {};
    const time = until - clock;
    if (time <= Date.now()) return this.#compose.tell(this.#say('unsilenced'));
    return this.#compose.tell(this.#say('silenced:until', new Date(time).toLocaleTimeString(this.lang || undefined, { hour: '2-digit', minute: '2-digit' })));
  }

  /** @param {import('../net/room-messages.js').ErrorMessage} error */
  #wrong({ code, text, about, retry }) {
    if (about && !OURS.includes(about)) return;
    if (this.#connection?.state !== 'joined') return this.#render();
    const seconds = retry ? this.#say(`${code}:retry`, String(Math.ceil(retry))) : '';
    // Show the server's English text if there is no translation.
    this.#compose.tell(seconds || this.#say(code) || clean(text));
    if (about === 'chat' && this.#sent) this.#compose.restore(this.#sent);
    if (about === 'chat') this.#sent = '';
  }

  /** Sends a message; returns why it was not sent. @param {string} text @param {string} name the name that the person has entered; empty if the name is known */
  #write(text, name) {
    const connection = this.#connection;
    if (!connection || (connection.state !== 'joined' && !name)) return this.#say('unsent');
    this.#sent = text;
    if (name) {
      // The message is sent after the welcome.
      this.#nameless = false;
      this.#queued = text;
      ownName(name);
      this.#share?.rename(this.#options(name));
      return '';
    }
    return connection.send({ type: 'chat', text }) ? '' : this.#say('unsent');
  }

  #rename() {
    this.#nameless = true;
    this.#compose.name.value = clean(this.me?.name);
    this.#render();
    this.#compose.name.focus();
    this.#compose.name.select();
  }

  /** @param {ChatMessage} message */
  #may(message) {
    const { me } = this;
    return me !== null && (me.role === 'host' || me.id === message.id);
  }

  #render() {
    const { state, me, room = null, people, audience = 0, likes = 0, error } = this.#connection ?? {};
    const host = me?.role === 'host';
    const own = me ? people?.get(me.id) : undefined;
    const over = state === 'refused' || state === 'closed';
    const outside = state === 'reconnecting' || state === 'joining';
    tell(this.#status, over ? this.#say(error?.code ?? 'ended') || this.#say('refused')
      : outside ? this.#say(TEMPORARY.includes(error?.code ?? '') ? `${error?.code}` : state) : '');
    this.#watching.hidden = !room;
    /** @type {Element} */ (this.#watching.lastChild).textContent = short(audience, this.lang);
    this.#watching.setAttribute('aria-label', this.#say('watching', String(audience)));
    this.#settings.render(room, host);
    this.#bar.likes(likes);
    const named = this.#share !== null && !this.#share.follows;
    this.#bar.render(me ?? null, own, named && !this.#nameless && !this.name);
    this.#bar.node.hidden = over;
    this.#compose.node.hidden = over;
    this.#compose.askName(this.#nameless && named);
    this.#compose.close(host || !room || room.chat === 'all' ? '' : this.#say(room.chat === 'off' ? 'chatOff' : 'hostsOnly'));
    this.#compose.field.placeholder = room?.slow && me?.role === 'audience' ? this.#say('slowly', String(room.slow)) : this.#say('write');
  }

  #translate() {
    this.#title.textContent = this.#say('chat');
    for (const part of [this.#lines, this.#settings, this.#bar, this.#compose]) part.translate();
    this.#render();
  }

  #dress() {
    adopt(/** @type {ShadowRoot} */ (this.shadowRoot), CSS_TEXT, CHAT_CSS);
  }

  /** Releases the connection. */
  #drop() {
    this.#off.abort();
    this.#connection = null;
    this.#share?.release();
    this.#share = null;
    this.#sent = this.#queued = '';
    this.#lines.clear();
    this.#bar.close();
    this.#menu.close(false);
    this.#render();
  }
}
