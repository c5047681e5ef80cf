// <srs-room>: a room in which hosts talk to each other.
//
// No device is opened, and no connection made, before somebody joins or asks for the preview.

import { NUMBERS, OTHERS, OWN, SWITCHES, TEXTS } from './attributes.js';
import { reflect } from '../ui/media-members.js';
import { mark } from '../ui/state-attributes.js';
import { RoomSession } from './session.js';
import { RoomView } from './view.js';

/** @typedef {'idle' | 'joining' | 'waiting' | 'joined' | 'reconnecting' | 'refused' | 'closed'} State */

// A server has no elements; importing this module must work there too.
const Host = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

const SETTINGS = [...TEXTS, ...SWITCHES, ...NUMBERS, ...OWN];
const NAME = 'lianmai name';

/** The name that was entered last in this browser. */
function remembered() {
  try {
    return localStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // Private windows may have no storage.
  }
}

export class SrsRoomElement extends Host {
  static observedAttributes = [...SETTINGS, ...OTHERS];

  #internals = this.attachInternals?.();
  #root;
  /** @type {RoomSession | null} */
  #session = null;
  /** @type {RoomView | null} */
  #view = null;
  #address = '';
  /** @type {import('../net/token-ask.js').Token | null} */
  #token = null;
  #invite = '';
  #secure = '';
  #page = '';

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: 'open' });
  }

  connectedCallback() {
    // Properties that were set before the element was defined.
    for (const name of [...SETTINGS, 'page', 'secureAddress']) {
      if (!Object.hasOwn(this, name)) continue;
      const self = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (this));
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
    this.#build();
    this.#view?.run(true);
  }

  /** Another document needs style sheets of its own. */
  adoptedCallback() { this.#view?.settle(); }

  disconnectedCallback() {
    // An element that was moved within the page goes on.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#view?.run(false);
      void this.#session?.close();
      // One that is put in again begins anew.
      this.#address = '';
    });
  }

  /** @param {string} name @param {string | null} old @param {string | null} value */
  attributeChangedCallback(name, old, value) {
    if (old === value || !this.isConnected) return;
    if (name === 'room' || name === 'server' || name === 'scene') this.#build();
    if (name === 'layout') this.#session?.arrange(this.#layout);
    this.#view?.render();
  }

  /** @returns {State} */
  get state() { return this.#session?.state ?? 'idle'; }
  get connection() { return this.#session?.connection ?? null; }
  get people() { return this.#session?.people ?? []; }
  get me() { return this.#session?.me ?? null; }
  /** Whether this participant is to publish, as far as is known before joining. */
  get publishes() { return !this.hasAttribute('scene') && this.getAttribute('as') !== 'audience'; }

  get room() { return this.getAttribute('room') ?? ''; }
  set room(value) { this.setAttribute('room', value); }
  // Sent to the gateway; never written into the page.
  get token() { return this.#token ?? this.getAttribute('token') ?? ''; }
  set token(value) { this.#token = value; }
  get invite() { return this.#invite || (this.getAttribute('invite') ?? ''); }
  set invite(value) { this.#invite = value; }
  /** Address of the page for guests, which an invitation is appended to. */
  get page() { return this.#page || location.href.replace(/[?#].*/, ''); }
  set page(value) { this.#page = value; }
  get secureAddress() { return this.#secure || location.href.replace(/^http:/, 'https:'); }
  set secureAddress(value) {
    this.#secure = value;
    this.#view?.render();
  }
  get muted() { return this.#session?.publishing.muted ?? false; }
  set muted(muted) { this.#session?.mute({ muted }); }
  get cameraOff() { return this.#session?.publishing.options.cameraOff ?? false; }
  set cameraOff(cameraOff) { this.#session?.mute({ cameraOff }); }

  get #layout() {
    const layout = this.getAttribute('layout') ?? '';
    return /** @type {import('../net/room-messages.js').Layout | null} */ (/^(grid|speaker|side|screen)$/.test(layout) ? layout : null);
  }

  /** Enters the room. Has to be called in a click, unless the page may play audio without one. */
  join() {
    const session = this.#session;
    const view = this.#view;
    if (!session || !view || !this.room) return;
    const scene = this.hasAttribute('scene');
    const name = scene ? 'scene' : view.card.name.value.trim() || this.getAttribute('name') || '';
    if (!name) return void view.card.name.focus();
    if (!scene) remember(name);
    const secret = view.card.secret.value || this.getAttribute('secret') || '';
    const role = /** @type {import('../net/room-messages.js').Role | null} */ (scene ? 'audience' : this.getAttribute('as'));
    session.join({
      name, ...(role && { role }), ...(this.invite && { invite: this.invite }), ...(this.token && { token: this.token }), ...(secret && { secret }),
    });
  }

  /** Leaves the room, and closes camera and microphone. */
  async leave() { await this.#session?.leave(); }

  #build() {
    const server = this.getAttribute('server') || location.origin;
    const scene = this.hasAttribute('scene');
    const address = `${server} ${this.room} ${scene}`;
    if (!this.room || address === this.#address) return;
    this.#address = address;
    this.#view?.run(false);
    void this.#session?.close();
    this.#root.replaceChildren();
    const session = this.#session = new RoomSession({ server, room: this.room, scene });
    session.own = this.#layout;
    const view = this.#view = new RoomView(this, session, this.#root);
    view.card.name.value = this.getAttribute('name') || remembered();
    session.addEventListener('state', () => {
      if (session !== this.#session) return;
      const { state } = session;
      mark(this, this.#internals, state, session.error?.code);
      this.dispatchEvent(new CustomEvent('statechange', { detail: { state } }));
    });
    mark(this, this.#internals, 'idle');
    view.run(true);
    if (scene) this.join();
    else if (this.publishes) void this.#preview(session);
  }

  /** Shows the camera at once if the browser may use it anyway. @param {RoomSession} session */
  async #preview(session) {
    const query = async (/** @type {string} */ name) => (await navigator.permissions?.query({ name: /** @type {PermissionName} */ (name) }).catch(() => null))?.state === 'granted';
    if (!globalThis.isSecureContext || !await query('camera') || !await query('microphone')) return;
    const wanted = () => session === this.#session && this.isConnected && session.state === 'idle';
    if (!wanted()) return;
    await session.publishing.preview();
    // The element may have gone while the browser opened the devices.
    if (session !== this.#session || !this.isConnected) await session.publishing.stop();
  }
}

reflect(SrsRoomElement.prototype, TEXTS, SWITCHES, NUMBERS);
