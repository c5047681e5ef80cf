// The input line for messages, with an input for the name if the name is not known yet.

import { h, icon, tell } from '../ui/dom.js';
import { MAX_NAME, MAX_TEXT, clean, cut, lengthOf } from '../ui/clean.js';

const SEND = 'M3 20v-6l8-2-8-2V4l19 8z';

export class Compose {
  #say; #send;
  /** The reason why the reader cannot write; empty if the reader can. */
  #closed = '';

  /**
   * @param {object} options
   * @param {(name: string, detail?: string) => string} options.say
   * @param {(text: string, name: string) => string} options.send sends a message; returns the reason if it was not sent
   */
  constructor({ say, send }) {
    this.#say = say;
    this.#send = send;
    this.name = h('input', { class: 'name', type: 'text', autocomplete: 'nickname', hidden: true, oninput: () => this.#limit() });
    this.field = h('input', { class: 'write', type: 'text', autocomplete: 'off', enterkeyhint: 'send', 'aria-describedby': 'count said', oninput: () => this.#count() });
    this.counter = h('span', { class: 'count', id: 'count', hidden: true });
    this.button = h('button', { type: 'submit', class: 'send' }, icon(SEND));
    this.said = h('p', { class: 'said', id: 'said', part: 'notice', role: 'status', hidden: true });
    this.node = h('form', { class: 'compose', part: 'compose', novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      this.said, this.name, h('div', { class: 'entry' }, this.field, this.counter, this.button));
  }

  translate() {
    for (const [field, word] of /** @type {const} */ ([[this.name, 'name'], [this.field, 'write']])) {
      field.placeholder = this.#say(word);
      field.setAttribute('aria-label', this.#say(word));
    }
    this.button.setAttribute('aria-label', this.#say('send'));
    this.button.title = this.#say('send');
  }

  /** Shows the reason for a failure; an empty sentence removes it. @param {string} sentence */
  tell(sentence) {
    tell(this.said, sentence || this.#closed);
  }

  /** @param {string} why the reason why the reader cannot write; empty if the reader can */
  close(why) {
    if (why === this.#closed) return;
    const said = this.said.textContent === this.#closed;
    this.#closed = why;
    if (why || said) this.tell('');
    this.field.disabled = this.button.disabled = why !== '';
  }

  /** @param {boolean} wanted whether the reader must enter a name first */
  askName(wanted) {
    this.name.hidden = !wanted;
  }

  /** Puts a message that the gateway refused back into the input. @param {string} text */
  restore(text) {
    if (this.field.value) return;
    this.field.value = text;
    this.#count();
  }

  #limit() {
    if (lengthOf(this.name.value) > MAX_NAME) this.name.value = cut(this.name.value, MAX_NAME);
  }

  #count() {
    const length = lengthOf(this.field.value);
    this.counter.hidden = length === 0;
    this.counter.textContent = `${length}/${MAX_TEXT}`;
    this.counter.classList.toggle('over', length > MAX_TEXT);
    if (!this.#closed && this.said.textContent) this.tell('');
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = this.field.value.trim();
    const name = clean(this.name.value);
    if (!this.name.hidden && !name) {
      this.tell(this.#say('nameless'));
      return this.name.focus();
    }
    if (!text && this.name.hidden) return this.field.focus();
    if (lengthOf(text) > MAX_TEXT) return this.tell(this.#say('too_long'));
    const wrong = this.#send(text, this.name.hidden ? '' : name);
    if (wrong) return this.tell(wrong);
    this.field.value = '';
    this.#count();
    this.tell('');
    return this.field.focus();
  }
}
