// What an address is, before anything is loaded for it.

/**
 * @typedef {object} Refusal
 * @property {'bad-url' | 'unsupported-protocol'} code
 * @property {string} word the sentence's name among the words
 * @property {string} detail what is wrong with it, for the sentence
 * @property {string} [instead] an address of the same stream that a browser can play
 */

const UNSUPPORTED = 'unsupported-protocol';

/** @param {string} host */
const bare = (host) => host.replace(/:\d+$/, '');

/**
 * The HTTP-FLV address of the stream that `rtmp://host/app/stream` names. On a page
 * of that host it is the page's own server; elsewhere Lianmai's usual port.
 * @param {string} rest `host[:port]/app/stream[?query]`
 * @param {URL} base the page
 */
function flv(rest, base) {
  const [, host = '', path = '', query = ''] = /^([^/?#]+)(\/[^?#]*)?(\?[^#]*)?/.exec(rest) ?? [];
  if (!path || path === '/') return undefined;
  const same = bare(host) === base.hostname || (/^(127\.|localhost$)/.test(bare(host)) && /^(127\.|localhost$)/.test(base.hostname));
  const origin = same && /^https?:$/.test(base.protocol) ? base.origin : `http://${bare(host)}:8080`;
  return `${origin}${path.replace(/\/$/, '')}.flv${query}`;
}

/**
 * An absolute address that the player can try, or why it cannot.
 * @param {string} text as it stands in the attribute; may be relative to the page
 * @param {string} page the page's address
 * @returns {{ url: string } | Refusal}
 */
export function resolve(text, page) {
  const base = new URL(page);
  const trimmed = text.trim();
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(trimmed) ?? [];
  const name = scheme.toLowerCase();
  if (/^rtmp/.test(name)) return { code: UNSUPPORTED, word: UNSUPPORTED, detail: `${name}://`, instead: flv(rest, base) };
  let url;
  try {
    url = new URL(trimmed, base);
  } catch {
    return { code: 'bad-url', word: 'bad-url', detail: text };
  }
  if (/^(https?|wss?|webrtc|blob|data):$/.test(url.protocol)) return { url: url.href };
  return { code: UNSUPPORTED, word: UNSUPPORTED, detail: `${url.protocol}//` };
}
