// Checks an address before the player loads anything.

import { isPageHost } from '../net/host.js';

/**
 * @typedef {object} Refusal
 * @property {'bad-url' | 'unsupported-protocol'} code
 * @property {string} word the name of the sentence among the texts
 * @property {string} detail the faulty part, for the sentence
 * @property {string} [instead] an address of the same stream that a browser can play
 */

const UNSUPPORTED = 'unsupported-protocol';

/**
 * Returns the HTTP-FLV address of the stream `rtmp://host/app/stream`: at the page's own server if the host is the
 * page's, else at Lianmai's usual port.
 * @param {string} rest `host[:port]/app/stream[?query]`
 * @param {URL} base the page
 */
function flv(rest, base) {
  const [, host = '', path = '', query = ''] = /^([^/?#]+)(\/[^?#]*)?(\?[^#]*)?/.exec(rest) ?? [];
  if (!path || path === '/') return undefined;
  const name = host.replace(/:\d+$/, '');
  const origin = isPageHost(name, base) && /^https?:$/.test(base.protocol) ? base.origin : `http://${name}:8080`;
  return `${origin}${path.replace(/\/$/, '')}.flv${query}`;
}

/**
 * Returns an absolute address that the player can try, or the reason why it cannot.
 * @param {string} text the attribute; may be relative to the page
 * @param {string} page the page's address
 * @returns {{ url: string } | Refusal}
 */
export function resolve(text, page) {
  const base = new URL(page);
  const [, scheme, rest] = /^\s*(rtmp\w*:\/\/)(.*\S)/i.exec(text) ?? [];
  if (scheme) return { code: UNSUPPORTED, word: UNSUPPORTED, detail: scheme, instead: flv(rest, base) };
  let url;
  try {
    url = new URL(text, base);
  } catch {
    return { code: 'bad-url', word: 'bad-url', detail: text };
  }
  if (url.username || url.password) return { code: 'bad-url', word: 'credentials', detail: '' };
  if (/^(https?|wss?|webrtc|blob|data):$/.test(url.protocol)) return { url: url.href };
  return { code: UNSUPPORTED, word: UNSUPPORTED, detail: `${url.protocol}//` };
}
