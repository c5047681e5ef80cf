// The messages of a chat: a bounded list that stays at its end unless the reader has scrolled up.

import { h, icon } from '../ui/dom.js';
import { clean, hueOf } from '../ui/clean.js';

/** @typedef {import('../net/room-messages.js').ChatMessage} ChatMessage */

/** Maximum number of lines. The gateway stores as many messages. */
const MAX_LINES = 200;
/** Distance in pixels from the end that still counts as the end. */
const NEAR = 40;
const DOTS = 'M6 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm6 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm6 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4z';

export class Lines {
  /** Lines by number and time, because a restarted gateway starts to count again. @type {Map<string, { line: HTMLElement, message: ChatMessage }>} */
  #lines = new Map();
  #open; #may; #say;
  #unseen = 0;
  /** Whether the newest message is visible. */
  #atEnd = true;

  /**
   * @param {object} options
   * @param {(name: string, detail?: string) => string} options.say
   * @param {(message: ChatMessage) => boolean} options.may returns whether the reader may act on a message
   * @param {(message: ChatMessage, line: HTMLElement) => void} options.open opens the actions of a message
   */
  constructor({ say, may, open }) {
    this.#say = say;
    this.#may = may;
    this.#open = open;
    this.list = h('div', {
      class: 'lines', part: 'messages', role: 'log', tabindex: '0',
      onscroll: () => this.#scrolled(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
    });
    this.newer = h('button', { type: 'button', class: 'newer', hidden: true, onclick: () => this.toEnd() });
    this.node = h('div', { class: 'log' }, this.list, this.newer);
    // If the keyboard of a phone or another layout changes the height, keep the end visible.
    if (globalThis.ResizeObserver) new ResizeObserver(() => { if (this.#atEnd) this.toEnd(); }).observe(this.list);
  }

  translate() {
    this.list.setAttribute('aria-label', this.#say('messages'));
    this.list.dataset.empty = this.#say('empty');
    this.refresh();
  }

  /** Writes all lines again, for another language or role. */
  refresh() {
    const messages = [...this.#lines.values()].map(({ message }) => message);
    this.clear();
    this.fill(messages);
  }

  clear() {
    this.#lines.clear();
    this.list.replaceChildren();
  }

  /** Adds missing messages without an announcement: screen readers must not read the history. @param {ChatMessage[]} messages */
  fill(messages) {
    this.list.setAttribute('aria-live', 'off');
    for (const message of messages) this.add(message);
    this.#unseen = 0;
    this.#count();
    requestAnimationFrame(() => this.list.setAttribute('aria-live', 'polite'));
  }

  /** @param {ChatMessage} message */
  add(message) {
    const key = `${message.seq} ${message.at}`;
    if (this.#lines.has(key)) return;
    const line = this.#line(message);
    this.#lines.set(key, { line, message });
    this.list.append(line);
    if (this.#lines.size > MAX_LINES) {
      const [[oldest, { line: first }] = ['', { line: null }]] = this.#lines;
      // Keep the lines that the reader looks at in place.
      const size = first?.offsetHeight ?? 0;
      first?.remove();
      this.#lines.delete(oldest);
      if (!this.#atEnd) this.list.scrollTop -= size;
    }
    if (this.#atEnd) return this.toEnd();
    this.#unseen++;
    return this.#count();
  }

  /** @param {number} seq */
  remove(seq) {
    for (const [key, { line, message }] of this.#lines) {
      if (message.seq !== seq) continue;
      if (line.matches(':focus-within')) this.list.focus();
      line.remove();
      this.#lines.delete(key);
    }
  }

  toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    this.#atEnd = true;
    this.#unseen = 0;
    this.#count();
  }

  /** @param {ChatMessage} message */
  #line(message) {
    const name = clean(message.name) || '?';
    const badge = message.role === 'host' || message.role === 'guest' ? [h('span', { class: `badge ${message.role}` }, this.#say(message.role)), ' '] : [];
    // <bdi> isolates the direction of the text from the text around it.
    const line = h('div', { class: 'line', tabindex: '-1', title: new Date(message.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) },
      h('bdi', { class: 'name' }, name), ' ', ...badge, h('bdi', { class: 'text', dir: 'auto' }, clean(message.text)));
    line.style.setProperty('--hue', String(hueOf(message.id)));
    if (this.#may(message)) {
      line.append(h('button', {
        type: 'button', class: 'dots', tabindex: '-1', 'aria-label': this.#say('actions', name), 'aria-haspopup': 'menu',
        onclick: () => this.#open(message, line),
      }, icon(DOTS)));
    }
    return line;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (!this.#atEnd || !this.#unseen) return;
    this.#unseen = 0;
    this.#count();
  }

  #count() {
    this.newer.hidden = this.#unseen === 0;
    this.newer.textContent = this.#say('newer', String(this.#unseen));
  }

  /** Handles keys: arrow keys move between messages, Enter opens the actions. @param {KeyboardEvent} event */
  #key(event) {
    const root = /** @type {ShadowRoot} */ (this.list.getRootNode());
    const active = /** @type {HTMLElement | null} */ (root.activeElement);
    const lines = [...this.#lines.values()];
    const at = lines.findIndex(({ line }) => line.contains(active));
    /** @type {Record<string, number>} */
    const steps = { ArrowUp: at < 0 ? lines.length - 1 : at - 1, ArrowDown: at < 0 ? lines.length : at + 1, Home: 0, End: lines.length - 1 };
    const to = steps[event.key];
    const one = lines[at];
    if (event.key === 'Enter' && one && active === one.line && this.#may(one.message)) this.#open(one.message, one.line);
    else if (to !== undefined && lines.length) (lines[Math.max(0, to)]?.line ?? this.list).focus();
    else return;
    event.preventDefault();
  }
}
