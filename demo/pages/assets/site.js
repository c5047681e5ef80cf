// Shared functions of the pages: addresses, copy buttons, the list of streams.

import { t } from './words.js';

/** The gateway's root: `/`, or its path below a proxy. */
export const ROOT = new URL('..', import.meta.url);

/** @typedef {{ name: string, app: string, clients: number, publish: { active: boolean, cid: string }, video: { codec: string, width: number, height: number } | null, audio: { codec: string } | null }} Stream */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** @param {string} id */
export const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * Fills a list with texts to copy.
 * @param {HTMLElement} list a `<dl>`
 * @param {[name: string, text: string, link?: string][]} rows
 */
export function copyable(list, rows) {
  list.replaceChildren(...rows.map(([name, text, link]) => {
    const button = h('button', { type: 'button', class: 'copy', 'aria-label': t('copyOf', { name }) }, t('copy'));
    button.addEventListener('click', () => void copy(text, button));
    const shown = h('code', {}, link ? h('a', { href: link }, text) : text);
    return h('div', {}, h('dt', {}, name), h('dd', {}, shown, button));
  }));
}

/**
 * @param {string} text
 * @param {HTMLButtonElement} button shows that the text was copied
 */
async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS there is no clipboard interface, so use the older command.
    const field = h('textarea', { 'aria-hidden': 'true' });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    button.focus();
    if (!done) return;
  }
  // The label must survive a second press during this time.
  if (button.textContent === t('copied')) return;
  const label = button.getAttribute('aria-label') ?? '';
  button.textContent = t('copied');
  button.setAttribute('aria-label', t('copied'));
  setTimeout(() => {
    button.textContent = t('copy');
    button.setAttribute('aria-label', label);
  }, 1600);
}

/**
 * Fetches the state of the gateway: ports of RTMP and HTTPS, and whether this browser may publish without a secret.
 * @returns {Promise<{ rtmp: string, https: number, mayPublish: boolean }>}
 */
export async function gateway() {
  let port = 1935;
  let https = 8443;
  let mayPublish = true;
  try {
    const response = await fetch(new URL('api/v1/versions', ROOT));
    const { data } = await response.json();
    port = data.rtmp_port ?? port;
    https = data.https_port ?? https;
    mayPublish = data.may_publish ?? mayPublish;
  } catch {
    // Use the default port.
  }
  return { rtmp: `rtmp://${location.hostname}${port === 1935 ? '' : `:${port}`}`, https, mayPublish };
}

/**
 * Fetches the gateway's streams; null if it does not answer.
 * @returns {Promise<Stream[] | null>}
 */
export async function streams() {
  try {
    const response = await fetch(new URL('api/v1/streams?count=100', ROOT));
    const { streams: list } = await response.json();
    return Array.isArray(list) ? list : null;
  } catch {
    return null;
  }
}

/**
 * Calls `show` with the streams now and every few seconds while the page is visible.
 * @param {(streams: Stream[]) => void} show
 */
export function watchStreams(show) {
  const look = async () => {
    if (document.hidden) return;
    const list = await streams();
    if (list) show(list);
  };
  void look();
  setInterval(look, 4000);
  document.addEventListener('visibilitychange', look);
}
