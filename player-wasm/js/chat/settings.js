// The chat settings of a host: which roles may write, and how often.

import { h, icon } from '../ui/dom.js';

const GEAR = 'M10.6 3h2.8l.5 2.3 1.6.7 2-1.3 2 2-1.3 2 .7 1.6 2.1.4v2.8l-2.2.5-.6 1.6 1.3 2-2 2-2-1.3-1.6.7-.5 2.1h-2.8l-.5-2.2-1.6-.6-2 1.3-2-2 1.3-2-.7-1.6L3 13.4v-2.8l2.3-.5.7-1.6-1.3-2 2-2 2 1.3 1.6-.7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z';
/** Choices for the minimum seconds between two messages of one member of the audience. */
const SLOW = [0, 5, 10, 30, 60, 300];

export class Settings {
  #say;

  /**
   * @param {object} options
   * @param {(name: string, detail?: string) => string} options.say
   * @param {(message: { type: string } & Record<string, unknown>) => void} options.send
   */
  constructor({ say, send }) {
    this.#say = say;
    const set = (/** @type {Record<string, unknown>} */ what) => send({ type: 'settings', ...what });
    this.who = h('select', { onchange: () => set({ chat: this.who.value }) });
    this.slow = h('select', { onchange: () => set({ slow: Number(this.slow.value) }) });
    this.labels = [h('label', {}, h('span', {}), this.who), h('label', {}, h('span', {}), this.slow)];
    this.panel = h('div', { class: 'panel', role: 'group', id: 'settings', hidden: true, onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape') return;
      this.show(false);
      this.button.focus();
    } }, ...this.labels);
    this.button = h('button', {
      type: 'button', class: 'gear', 'aria-expanded': 'false', 'aria-controls': 'settings', hidden: true, onclick: () => this.show(this.panel.hidden === true),
    }, icon(GEAR));
  }

  translate() {
    this.button.setAttribute('aria-label', this.#say('settings'));
    this.button.title = this.#say('settings');
    this.panel.setAttribute('aria-label', this.#say('settings'));
    for (const [at, word] of ['who', 'slow'].entries()) /** @type {Element} */ (this.labels[at]?.firstChild).textContent = this.#say(word);
    const { who, slow } = { who: this.who.value, slow: this.slow.value };
    this.who.replaceChildren(...['all', 'hosts', 'off'].map((value) => h('option', { value }, this.#say(value))));
    this.slow.replaceChildren(...SLOW.map((seconds) => h('option', { value: seconds }, this.#seconds(seconds))));
    if (who) this.who.value = who;
    if (slow) this.slow.value = slow;
  }

  /** @param {number} seconds */
  #seconds(seconds) {
    return seconds ? this.#say('every', String(seconds)) : this.#say('none');
  }

  /** @param {boolean} open */
  show(open) {
    this.panel.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    if (open) this.who.focus();
  }

  /** @param {import('../net/room-messages.js').Room | null} room @param {boolean} host */
  render(room, host) {
    this.button.hidden = !host;
    if (!host) this.show(false);
    if (!room) return;
    this.who.value = room.chat;
    const value = String(room.slow);
    // Another client may have set a number that is not in the list.
    if (![...this.slow.options].some((option) => option.value === value)) this.slow.append(h('option', { value }, this.#seconds(room.slow)));
    this.slow.value = value;
  }
}
