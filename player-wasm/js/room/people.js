// The panel with everybody in the room, and what a host may do for them.

import { h, icon } from '../ui/dom.js';
import { SHAPE } from './icons.js';
import { rateText } from './tile.js';

/** @typedef {import('../net/room-messages.js').Person} Person */
/** @typedef {(word: string, detail?: string) => string} Say */

export class People {
  #session;
  #list = h('ul', { class: 'people' });
  #watching = h('p', { class: 'hint' });
  #drawn = '';

  #invite;
  #live;

  /** @param {import('./session.js').RoomSession} session @param {(name: 'invite' | 'live') => void} open opens another panel */
  constructor(session, open) {
    this.#session = session;
    this.#invite = h('button', { type: 'button', class: 'primary', onclick: () => open('invite') });
    this.#live = h('button', { type: 'button', onclick: () => open('live') });
    this.node = h('div', { class: 'body' }, h('div', { class: 'row' }, this.#invite, this.#live), this.#list, this.#watching);
  }

  /** @param {Say} say */
  render(say) {
    const { connection, rates, publishing, me } = this.#session;
    const seats = this.#session.people;
    const others = [...connection.people.values()].filter(({ id }) => !seats.some((person) => person.id === id));
    const all = [...others.filter(({ role }) => role === 'waiting'), ...seats, ...others.filter(({ role }) => role !== 'waiting')];
    this.#invite.textContent = say('invite');
    this.#live.textContent = say('goLive');
    this.#invite.hidden = this.#live.hidden = !this.#session.isHost;
    this.#watching.textContent = say('watching', String(connection.audience));
    // A list that is the same stays, with the focus and the open menu in it.
    const drawn = JSON.stringify([all, this.#session.isHost, me?.id, connection.room?.spotlight, say('people')]);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      const open = this.#list.querySelector('details[open]')?.parentElement?.dataset.id;
      const held = focusOf(this.#list);
      this.#list.replaceChildren(...all.map((person) => this.#row(person, person.id === open, say)));
      if (held) focus(this.#list, held);
    }
    for (const row of /** @type {Iterable<HTMLElement>} */ (this.#list.children)) {
      const rate = row.dataset.id === me?.id ? publishing.stats?.bitrate ?? 0 : rates.get(row.dataset.id ?? '') ?? 0;
      const shown = row.querySelector('.rate');
      if (shown) shown.textContent = rate > 0 ? rateText(rate) : '';
    }
  }

  /** @param {Person} person @param {boolean} open @param {Say} say */
  #row(person, open, say) {
    const { me } = this.#session;
    const { id, name, role, audio, video, encoder, hand, quality } = person;
    const seated = role === 'host' || role === 'guest';
    const sign = (/** @type {string} */ shape, /** @type {string} */ word) => h('span', { class: 'sign', role: 'img', 'aria-label': say(word) }, icon(shape));
    const signs = [
      ...(hand ? [sign(SHAPE.hand, 'handUp')] : []),
      ...(quality === 'poor' || quality === 'bad' ? [sign(SHAPE.signal, `theirs:${quality}`)] : []),
      ...(seated && !encoder ? [sign(audio ? SHAPE.microphone : SHAPE.silent, audio ? 'isHeard' : 'isMuted'), sign(video ? SHAPE.camera : SHAPE.dark, video ? 'hasPicture' : 'noPicture')] : []),
    ];
    const more = this.#actions(person, say);
    const row = h('li', { 'data-id': id },
      h('span', { class: 'who' }, h('b', {}, id === me?.id ? say('you', name) : name), h('small', {}, encoder ? say('encoder') : say(`role:${role}`)), h('small', { class: 'rate' })),
      ...signs);
    if (more.length) {
      const menu = h('details', { open }, h('summary', { 'aria-label': say('actions', name) }, '⋯'), h('div', { class: 'menu' }, ...more));
      row.append(menu);
    }
    return row;
  }

  /** What may be done about a participant. @param {Person} person @param {Say} say @returns {HTMLElement[]} */
  #actions(person, say) {
    const { connection, isHost, me, audio } = this.#session;
    const { id, name, role, encoder, hand, invited } = person;
    const seated = role === 'host' || role === 'guest';
    const act = (/** @type {string} */ word, /** @type {{ type: string } & Record<string, unknown>} */ message) => h('button', {
      type: 'button', onclick: (/** @type {Event} */ { currentTarget }) => {
        connection.send(message);
        const menu = /** @type {HTMLElement} */ (currentTarget).closest('details');
        // The button is hidden now: the one that opens the menu is the next to press.
        menu?.querySelector('summary')?.focus();
        menu?.removeAttribute('open');
      },
    }, say(word));
    /** @type {HTMLElement[]} */
    const all = [];
    if (seated && id !== me?.id) {
      const slider = h('input', {
        type: 'range', min: '0', max: '1', step: '0.05', value: String(audio?.volume(id) ?? 1), 'aria-label': say('volume', name),
        oninput: () => {
          audio?.setVolume(id, Number(slider.value));
          audio?.setVolume(`${id}~screen`, Number(slider.value));
        },
      });
      all.push(h('label', {}, h('span', {}, say('volume', '')), slider));
    }
    if (!isHost) return all;
    const spot = connection.room?.spotlight === id;
    if (seated) all.push(act(spot ? 'unspotlight' : 'spotlight', { type: 'settings', spotlight: spot ? null : id }));
    if (id === me?.id) return all;
    if (role === 'waiting') all.push(act('admit', { type: 'admit', id }));
    if (role === 'audience') all.push(hand ? act('promote', { type: 'promote', id, role: 'guest' }) : act(invited ? 'inviteAgain' : 'inviteToStage', { type: 'invite', id }));
    if (seated && !encoder) {
      all.push(act('askMute', { type: 'ask_mute', id }));
      all.push(role === 'guest' ? act('makeHost', { type: 'promote', id, role: 'host' }) : act('makeGuest', { type: 'promote', id, role: 'guest' }));
      all.push(act('demote', { type: 'demote', id }));
    }
    all.push(act('remove', { type: 'remove', id }));
    // An encoder comes with a key of the gateway, not with an invitation.
    if (!encoder) all.push(act('withdraw', { type: 'remove', id, withdraw: true }));
    return all;
  }
}

/** @param {Element} row */
const controls = (row) => [...row.querySelectorAll('summary,input,button')];

/** The participant in whose row the focus is, and the number of the control that has it. @param {HTMLElement} list */
function focusOf(list) {
  const { activeElement } = /** @type {ShadowRoot | Document} */ (list.getRootNode());
  const row = /** @type {HTMLElement | null | undefined} */ (activeElement?.closest('li'));
  return row?.parentElement === list && activeElement ? { id: row.dataset.id, at: controls(row).indexOf(activeElement) } : null;
}

/** Moves the focus to a control of a new list, or to another one near it. @param {HTMLElement} list @param {{ id?: string, at: number }} held */
function focus(list, { id, at }) {
  const rows = /** @type {HTMLElement[]} */ ([...list.children]);
  const all = [...rows.filter((row) => row.dataset.id === id), ...rows].map(controls).find(({ length }) => length) ?? [];
  const shown = /** @type {HTMLElement[]} */ ([all[at], ...all]).find((control) => control?.checkVisibility());
  shown?.focus({ preventScroll: true });
}
