// The bar of the audience: raise a hand, answer an invitation to the stage, like.

import { h, icon } from '../ui/dom.js';
import { clean } from '../ui/clean.js';

const HEART = 'M12 20.5 4.2 12.9A5 5 0 0 1 11.3 5.8l.7.8.7-.8a5 5 0 0 1 7.1 7.1z';
const HAND = 'M8 12V5.5a1.4 1.4 0 0 1 2.8 0V11h.6V4a1.4 1.4 0 0 1 2.8 0v7h.6V5.5a1.4 1.4 0 0 1 2.8 0V15c0 4-2.3 6.5-6 6.5-3 0-4.5-1.3-6-4l-2.3-4.2c-.8-1.6 1.2-2.8 2.3-1.5z';
/** Milliseconds for which likes are added up before they are sent. */
const TOGETHER = 500;
/** Maximum number of likes in one message. */
const MAX_LIKES = 50;

/** Formats a number for display: 1234 as 1.2K. @param {number} count @param {string} lang */
export const short = (count, lang) => new Intl.NumberFormat(lang || undefined, { notation: 'compact', maximumFractionDigits: 1 }).format(count);

export class Bar {
  #say; #send; #lang;
  /** Likes that have not been sent yet. */
  #mine = 0;
  #timer = 0;
  #likes = 0;

  /**
   * @param {object} options
   * @param {(name: string, detail?: string) => string} options.say
   * @param {(message: { type: string } & Record<string, unknown>) => void} options.send
   * @param {() => void} options.rename
   * @param {() => string} options.lang
   */
  constructor({ say, send, rename, lang }) {
    this.#say = say;
    this.#send = send;
    this.#lang = lang;
    this.hand = h('button', { type: 'button', class: 'hand', 'aria-pressed': 'false', hidden: true, onclick: () => send({ type: 'hand', up: this.hand.getAttribute('aria-pressed') !== 'true' }) }, icon(HAND), h('span', {}));
    this.me = h('button', { type: 'button', class: 'me', hidden: true, onclick: rename }, h('bdi', {}));
    this.sum = h('span', { class: 'sum' });
    this.like = h('button', { type: 'button', class: 'like', onclick: () => this.#add() }, icon(HEART), this.sum);
    this.node = h('div', { class: 'bar' }, this.hand, this.me, h('span', { class: 'gap' }), this.like);
    const answer = (/** @type {string} */ type) => () => {
      this.dialog.close();
      send({ type });
    };
    this.question = h('p', { id: 'question' });
    this.hint = h('p', { id: 'hint', class: 'hint' });
    this.yes = h('button', { type: 'button', class: 'primary', onclick: answer('accept') });
    this.no = h('button', { type: 'button', onclick: answer('decline') });
    // The question must not take the focus: the next key of a viewer who is typing would accept it.
    this.dialog = h('dialog', { class: 'invitation', part: 'invitation', 'aria-labelledby': 'question', 'aria-describedby': 'hint' },
      h('div', { role: 'alert' }, this.question), this.hint, h('div', { class: 'answers' }, this.yes, this.no));
  }

  translate() {
    this.hint.textContent = this.#say('camera');
    this.yes.textContent = this.#say('accept');
    this.no.textContent = this.#say('decline');
    this.likes(this.#likes);
  }

  /**
   * @param {import('../net/room-messages.js').Me | null} me
   * @param {import('../net/room-messages.js').Person | undefined} own the participant's entry in the roster, if there is one
   * @param {boolean} mayRename
   */
  render(me, own, mayRename) {
    const up = own?.hand ?? false;
    this.hand.hidden = me?.role !== 'audience';
    this.hand.setAttribute('aria-pressed', String(up));
    /** @type {Element} */ (this.hand.lastChild).textContent = this.#say(up ? 'lower' : 'raise');
    this.me.hidden = !mayRename;
    const name = clean(me?.name);
    /** @type {Element} */ (this.me.firstChild).textContent = name;
    this.me.setAttribute('aria-label', this.#say('rename', name));
    this.me.title = this.#say('rename', name);
    if (me?.role !== 'audience' || own?.invited === false) this.close();
  }

  /** Shows the invitation of a host to the stage. @param {string} name */
  invite(name) {
    const [before = '', after = ''] = this.#say('invitation', '\n').split('\n');
    this.question.replaceChildren(before, h('bdi', {}, clean(name)), after);
    if (this.dialog.open) return;
    // show() takes the focus. Return the focus to the element that had it.
    const root = /** @type {ShadowRoot} */ (this.node.getRootNode());
    const focused = /** @type {HTMLElement | null} */ (root.activeElement);
    this.dialog.show();
    if (focused) focused.focus();
    else /** @type {HTMLElement | null} */ (root.activeElement)?.blur();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  /** @param {number} sum of all likes */
  likes(sum) {
    this.#likes = sum;
    const all = sum + this.#mine;
    this.sum.textContent = short(all, this.#lang());
    this.like.setAttribute('aria-label', `${this.#say('like')}, ${this.#say('likes', this.sum.textContent)}`);
    this.like.title = this.#say('like');
  }

  #add() {
    this.#mine = Math.min(this.#mine + 1, MAX_LIKES);
    this.likes(this.#likes);
    this.#burst();
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#send({ type: 'like', count: this.#mine });
      // These likes stay in the sum until the gateway counts them.
      this.#likes += this.#mine;
      this.#mine = 0;
    }, TOGETHER);
  }

  /** Shows a rising heart. */
  #burst() {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches || this.like.querySelectorAll('.rise').length > 8) return;
    const heart = icon(HEART);
    heart.setAttribute('class', 'rise');
    this.like.append(heart);
    const x = (Math.random() - 0.5) * 40;
    heart.animate([{ transform: 'none', opacity: 1 }, { transform: `translate(${x}px,-90px) scale(1.4)`, opacity: 0 }], { duration: 1200, easing: 'ease-out' })
      .finished.finally(() => heart.remove()).catch(() => {});
  }
}
