// The menu of a message: delete the message; hosts may also silence or remove its author.

import { h } from '../ui/dom.js';
import { clean } from '../ui/clean.js';

/** Choices for the seconds of silence; 0 ends the silence. */
const SILENCES = [60, 600, 3600, 0];

export class Menu {
  #say; #send;
  /** The element that gets the focus back. @type {HTMLElement | null} */
  #from = null;

  /**
   * @param {object} options
   * @param {(name: string, detail?: string) => string} options.say
   * @param {(message: { type: string } & Record<string, unknown>) => void} options.send
   */
  constructor({ say, send }) {
    this.#say = say;
    this.#send = send;
    this.node = h('div', {
      class: 'menu', part: 'menu', role: 'menu', hidden: true,
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
      onfocusout: (/** @type {FocusEvent} */ event) => {
        if (!this.node.contains(/** @type {Node | null} */ (event.relatedTarget))) this.close(false);
      },
    });
  }

  /**
   * @param {import('../net/room-messages.js').ChatMessage} message
   * @param {HTMLElement} line the line of the message
   * @param {import('../net/room-messages.js').Me} me
   */
  open(message, line, me) {
    const { id, seq, role } = message;
    const name = clean(message.name);
    const item = (/** @type {string} */ text, /** @type {() => void} */ act, kind = '') =>
      h('button', { type: 'button', role: 'menuitem', tabindex: '-1', class: kind, onclick: act }, text);
    const send = (/** @type {{ type: string } & Record<string, unknown>} */ what) => () => {
      this.close();
      this.#send(what);
    };
    const items = [item(this.#say('delete'), send({ type: 'delete', seq }))];
    if (me.role === 'host' && me.id !== id) {
      items.push(...SILENCES.map((seconds) => item(this.#say(`silence${seconds}`), send({ type: 'silence', id, seconds }))));
      if (role === 'audience') items.push(item(this.#say('invite'), send({ type: 'invite', id })));
      const remove = item(this.#say('remove'), () => {
        // Ask for confirmation, because a removed person cannot come back.
        if (remove.classList.contains('sure')) return send({ type: 'remove', id })();
        remove.classList.add('sure');
        remove.textContent = this.#say('sure', name);
        return undefined;
      }, 'danger');
      items.push(remove);
    }
    this.#from = line;
    this.node.setAttribute('aria-label', this.#say('menu', name));
    this.node.replaceChildren(h('div', { class: 'of', role: 'presentation' }, h('bdi', {}, name)), ...items);
    this.node.hidden = false;
    this.#place(line);
    items[0]?.focus();
  }

  close(back = true) {
    if (this.node.hidden) return;
    this.node.hidden = true;
    if (back) this.#from?.focus();
  }

  /** Places the menu below the line if there is room, else above the line. @param {HTMLElement} line */
  #place(line) {
    const box = /** @type {HTMLElement} */ (this.node.offsetParent ?? this.node).getBoundingClientRect();
    const { top, bottom } = line.getBoundingClientRect();
    const size = this.node.offsetHeight;
    const wanted = bottom - box.top + size < box.height ? bottom - box.top : top - box.top - size;
    this.node.style.top = `${Math.max(4, Math.min(wanted, box.height - size - 4))}px`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const items = /** @type {HTMLElement[]} */ ([...this.node.querySelectorAll('[role=menuitem]')]);
    const root = /** @type {ShadowRoot} */ (this.node.getRootNode());
    const at = items.indexOf(/** @type {HTMLElement} */ (root.activeElement));
    /** @type {Record<string, number>} */
    const to = { ArrowDown: (at + 1) % items.length, ArrowUp: (at - 1 + items.length) % items.length, Home: 0, End: items.length - 1 };
    const next = to[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') this.close();
    else if (next !== undefined) items[next]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
