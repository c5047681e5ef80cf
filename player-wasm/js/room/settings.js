// The panel with devices, the layout, and what a host may set for the room.

import { h, tell } from '../ui/dom.js';
import { Devices } from './devices.js';

/** @typedef {(word: string, detail?: string) => string} Say */

export class Settings {
  #session;
  #devices;
  #own = h('select', {});
  #room;
  /** @type {Record<string, HTMLElement>} */
  #labels = {};
  #layout = h('select', {});
  #locked = h('input', { type: 'checkbox' });
  #lobby = h('input', { type: 'checkbox' });
  #chat = h('select', {});
  #made = h('dl', { class: 'made', hidden: true });
  #name = h('input', { type: 'text', maxlength: '40', required: true });
  #encoder;

  /** @param {import('./session.js').RoomSession} session */
  constructor(session) {
    this.#session = session;
    this.#devices = new Devices(session.publishing);
    const set = (/** @type {Record<string, unknown>} */ change) => void session.connection.send({ type: 'settings', ...change });
    const row = (/** @type {string} */ word, /** @type {HTMLElement} */ field) => h('label', {}, this.#labels[word] = h('span', {}), field);
    this.#own.onchange = () => session.arrange(/** @type {import('../net/room-messages.js').Layout} */ (this.#own.value) || null);
    this.#layout.onchange = () => set({ layout: this.#layout.value });
    this.#chat.onchange = () => set({ chat: this.#chat.value });
    this.#locked.onchange = () => set({ locked: this.#locked.checked });
    this.#lobby.onchange = () => set({ lobby: this.#lobby.checked });
    this.#encoder = h('form', {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        session.connection.send({ type: 'make_encoder', name: this.#name.value });
      },
    }, row('encoderName', this.#name), h('button', {}, this.#labels.encoderMake = h('span', {})));
    this.#room = h('fieldset', {}, this.#labels.forAll = h('legend', {}), row('roomLayout', this.#layout), row('roomChat', this.#chat),
      row('locked_', this.#locked), row('lobby', this.#lobby));
    this.#encoderBox = h('fieldset', {}, this.#labels.encoderTitle = h('legend', {}), this.#labels.encoderText = h('p', { class: 'hint' }), this.#encoder, this.#made);
    this.node = h('div', { class: 'body settings' }, this.#devices.node, row('ownLayout', this.#own), this.#room, this.#encoderBox);
    session.connection.addEventListener('encoder_made', (event) => this.#show(/** @type {CustomEvent<{ id: string, stream: string, key: string }>} */ (event).detail), { signal: session.signal });
  }

  #encoderBox;
  /** Address of the gateway's RTMP, if the page knows a better one than the usual. */
  rtmp = '';

  get cameras() { return this.#devices.cameras; }

  /** @param {{ id: string, stream: string, key: string }} encoder */
  #show({ id, stream, key }) {
    const app = stream.slice(0, stream.lastIndexOf('/'));
    const rows = [['encoderServer', `${this.rtmp || `rtmp://${this.#session.hostname}`}/${app}`], ['encoderKey', `${id}?seat=${key}`]];
    this.#made.hidden = false;
    this.#made.replaceChildren(...rows.flatMap(([word, text]) => [h('dt', { 'data-word': word }), h('dd', {}, h('code', {}, text ?? ''))]));
    this.dispatch?.();
  }

  /** Has the panel rendered. @type {(() => void) | undefined} */
  dispatch;

  /** @param {Say} say */
  render(say) {
    const { connection: { room }, isHost, seated, own } = this.#session;
    for (const [word, node] of Object.entries(this.#labels)) tell(node, say(word));
    for (const node of this.#made.querySelectorAll('dt')) node.textContent = say(node.dataset.word ?? '');
    this.#devices.node.hidden = !seated;
    if (seated) void this.#devices.render(say);
    const layouts = /** @type {[string, string][]} */ (['grid', 'speaker', 'side', 'screen'].map((one) => [one, say(`name:${one}`)]));
    fill(this.#own, [['', say('asRoom')], ...layouts], own ?? '');
    this.#room.hidden = this.#encoderBox.hidden = !isHost;
    if (!room) return;
    fill(this.#layout, [...layouts, ['pip', say('name:pip')]], room.layout);
    fill(this.#chat, [['all', say('chat:all')], ['hosts', say('chat:hosts')], ['off', say('chat:off')]], room.chat);
    this.#locked.checked = room.locked;
    this.#lobby.checked = room.lobby;
  }
}

/** Shows these options. @param {HTMLSelectElement} select @param {[string, string][]} options @param {string} value */
export function fill(select, options, value) {
  const is = JSON.stringify(options);
  if (select.dataset.is !== is) {
    select.dataset.is = is;
    select.replaceChildren(...options.map(([one, text]) => h('option', { value: one }, text)));
  }
  select.value = value;
}
