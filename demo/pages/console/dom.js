// Small helpers for elements: all texts from outside go into text nodes, never into HTML.

import { h } from '../assets/site.js';
import { t } from './words.js';

export { $, ROOT, copyable, h } from '../assets/site.js';

/** Sets a text if it differs, so that nothing is laid out again without need. @param {Node} node @param {string} value */
export function say(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Shows or hides an element. @param {HTMLElement} node @param {unknown} shown */
export function show(node, shown) {
  if (node.hidden !== !shown) node.hidden = !shown;
}

/**
 * A button.
 * @param {string} text
 * @param {() => unknown} press
 * @param {string} [label] the whole name for a screen reader; it begins with the text where possible
 */
export function button(text, press, label = '') {
  const node = h('button', { type: 'button', ...(label && { 'aria-label': label }) }, text);
  node.addEventListener('click', press);
  return node;
}

/**
 * Keeps the children of `parent` equal to a list: an item stays the same element as long as its key is in the list, so
 * a refresh leaves focus, open menus and players alone.
 * @template T
 * @param {HTMLElement} parent
 * @param {(data: T) => string} key
 * @param {(data: T) => { node: HTMLElement, update: (data: T) => void, end?: () => void }} create
 * @returns {(list: T[]) => void}
 */
export function keyed(parent, key, create) {
  /** @type {Map<string, ReturnType<typeof create>>} */
  const items = new Map();
  return (list) => {
    const wanted = new Map(list.map((data) => [key(data), data]));
    // Removed first: then those that stay need not move, which would interrupt a player.
    for (const [name, item] of items) {
      if (wanted.has(name)) continue;
      const next = /** @type {HTMLElement | null} */ (item.node.nextElementSibling ?? item.node.previousElementSibling);
      const focused = item.node.contains(document.activeElement);
      item.end?.();
      item.node.remove();
      items.delete(name);
      // A person at the keyboard goes on with the neighbour.
      if (focused) /** @type {HTMLElement | null} */ (next?.querySelector('a, button') ?? document.getElementById('main'))?.focus();
    }
    let at = parent.firstElementChild;
    for (const [name, data] of wanted) {
      let item = items.get(name);
      if (!item) items.set(name, item = create(data));
      item.update(data);
      if (item.node === at) at = at.nextElementSibling;
      else parent.insertBefore(item.node, at);
    }
  };
}

/**
 * A table whose rows stay the same elements. The first cell of a row is its heading.
 * @template T
 * @param {string} caption
 * @param {string[]} columns
 * @param {(data: T) => string} key
 * @param {(data: T) => { cells: (string | HTMLElement)[], update?: (data: T, cells: HTMLElement[]) => void }} create
 */
export function table(caption, columns, key, create) {
  const body = h('tbody');
  const heads = columns.map((text) => h('th', { scope: 'col' }, text));
  const grid = h('table', {}, h('caption', { class: 'unseen' }, caption), h('thead', {}, h('tr', {}, ...heads)), body);
  // It scrolls by itself on a narrow screen, also by keyboard.
  const node = h('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': caption }, grid);
  const update = keyed(body, key, (/** @type {T} */ data) => {
    const made = create(data);
    const cells = made.cells.map((cell, at) => (at === 0 ? h('th', { scope: 'row' }, cell) : h('td', { 'data-head': columns[at] }, cell)));
    return { node: h('tr', {}, ...cells), update: (/** @type {T} */ now) => made.update?.(now, cells) };
  });
  return { node, update };
}

/** Names of dialogs are unique. */
let dialogs = 0;

/**
 * Opens a dialog, which Escape closes. Focus returns to where it was.
 * @param {string} title
 * @param {(Node | string)[]} content
 * @param {{ label: string, press: () => Promise<string | void> } | null} [action] a refusal is a text
 */
export function dialog(title, content, action = null) {
  dialogs += 1;
  const id = `dialog-${dialogs}`;
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const cancel = button(action ? t('cancel') : t('close'), () => node.close());
  const form = h('form', { method: 'dialog' }, h('h2', { id }, title), ...content, wrong, h('div', { class: 'actions' }, cancel));
  const node = h('dialog', { 'aria-labelledby': id }, form);
  if (action) {
    const go = h('button', { type: 'submit', class: 'primary' }, action.label);
    cancel.after(go);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      go.disabled = true;
      const refused = await action.press();
      go.disabled = false;
      if (!refused) return node.close();
      say(wrong, refused);
    });
  }
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  node.addEventListener('close', () => {
    node.remove();
    if (before?.isConnected) before.focus();
  });
  document.body.append(node);
  node.showModal();
  return node;
}

/** Says a sentence to a screen reader. @param {string} text */
export function announce(text) {
  const said = document.getElementById('said');
  if (said) said.textContent = text;
}

/**
 * A heading with what stands below it.
 * @param {string} title
 * @param {...(Node | string)} content
 */
export function section(title, ...content) {
  return h('section', {}, h('h2', {}, title), ...content);
}
