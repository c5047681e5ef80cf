// Sentences at the top of the stage, where they cover no names: some go by themselves, others wait for an answer. Screen readers read them out.

import { h, icon } from '../ui/dom.js';
import { SHAPE } from './icons.js';

/** At most so many at once. */
const MAX = 3;
/** Milliseconds for which a sentence without an answer is shown. */
const SHOWN = 6_000;

/** @typedef {{ text: string, act: () => void }} Answer */

export class Notices {
  /** @type {Map<string, HTMLElement>} */
  #all = new Map();
  node = h('div', { class: 'notices', part: 'notices', role: 'status' });

  /**
   * Shows a sentence, in place of one with the same key.
   * @param {string} key
   * @param {string} text
   * @param {Answer[]} [answers] without any, the sentence goes by itself
   * @param {string} [close] label of the button that closes it; empty: there is none
   */
  show(key, text, answers = [], close = '') {
    if (this.#all.get(key)?.dataset.text === text) return;
    this.hide(key);
    const node = h('div', { class: 'notice', 'data-text': text }, h('p', {}, text),
      ...answers.map((answer) => h('button', { type: 'button', class: 'primary', onclick: () => {
        this.hide(key);
        answer.act();
      } }, answer.text)));
    if (close) node.append(h('button', { type: 'button', 'aria-label': close, title: close, onclick: () => this.hide(key) }, icon(SHAPE.close)));
    this.#all.set(key, node);
    this.node.append(node);
    const [oldest] = this.#all.keys();
    if (this.#all.size > MAX && oldest !== undefined) this.hide(oldest);
    if (!answers.length) setTimeout(() => { if (this.#all.get(key) === node) this.hide(key); }, SHOWN);
  }

  /** @param {string} key */
  hide(key) {
    this.#all.get(key)?.remove();
    this.#all.delete(key);
  }

  clear() {
    for (const key of [...this.#all.keys()]) this.hide(key);
  }
}
