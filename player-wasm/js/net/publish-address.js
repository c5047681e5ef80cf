// Where an address publishes to.

import { parameter } from './token.js';

/**
 * @typedef {object} Endpoint
 * @property {string} whip where the offer goes; empty: the server takes this stream only as FLV
 * @property {string} flv  the same stream as FLV over WebSocket; empty: not known
 */

const WHIP = '/rtc/v1/whip/';
/** WordPress passes an offer on, but takes no stream: a token shown there over a WebSocket would be for nobody. */
const RELAY = /\/wp-json\/|\/lianmai\/v1\/whip\/?$/;

/** `x` of `?x` as it stands, without its `?`. @param {string} search */
const bare = (search) => search.replace(/^\?/, '');

/** @param {(string | undefined)[]} parts of a query */
const query = (...parts) => {
  const text = parts.filter(Boolean).join('&');
  return text && `?${text}`;
};

/**
 * The servers that `host[:port]` of a `webrtc://` address can mean, the likeliest first. Without a port:
 * the page's own one; with HTTPS the usual port and Lianmai's; otherwise SRS's port and Lianmai's.
 * @param {string} host
 * @param {string} schema as the address asks for; empty: the page's
 * @param {URL} page
 */
function origins(host, schema, page) {
  const scheme = schema || (page.protocol === 'https:' ? 'https' : 'http');
  const { hostname } = new URL(`${scheme}://${host}`);
  const local = /^(127\.|localhost$)/;
  const same = hostname === page.hostname || (local.test(hostname) && local.test(page.hostname));
  if (/:\d+$/.test(host)) return [`${scheme}://${host}`];
  if (same && page.protocol === `${scheme}:`) return [page.origin];
  return (scheme === 'https' ? ['', ':8443'] : [':1985', ':8080']).map((at) => `${scheme}://${hostname}${at}`);
}

/**
 * What `webrtc://host/app/stream?…`, a WHIP address or one of FLV publishes to, in the order to try;
 * empty when it is none of them. The query goes along as it is.
 * @param {string} text may be relative to the page
 * @param {string} base the page's address
 * @returns {Endpoint[]}
 */
export function endpoints(text, base) {
  const page = new URL(base);
  const [, host = '', app = '', stream = '', search = ''] =
    /^webrtc:\/\/([^/?#]+)\/([^?#]+)\/([^/?#]+)\/?(\?[^#]*)?/i.exec(text.trim()) ?? [];
  if (host) {
    if (!URL.canParse(`http://${host}`)) return [];
    const name = `app=${encodeURIComponent(decodeURI(app))}&stream=${encodeURIComponent(decodeURI(stream))}`;
    const schema = new URLSearchParams(search).get('schema') ?? '';
    return origins(host, /^https?$/.test(schema) ? schema : '', page).map((origin) => ({
      whip: `${origin}${WHIP}${query(name, bare(search))}`,
      flv: `${origin}/${app}/${stream}.flv${search}`,
    }));
  }
  if (!URL.canParse(text.trim(), page)) return [];
  const url = new URL(text.trim(), page);
  if (!/^(http|ws)s?:$/.test(url.protocol) || !text.trim()) return [];
  url.protocol = url.protocol.replace('ws', 'http');
  url.hash = '';
  if (/\.flv$/.test(url.pathname)) return [{ whip: '', flv: url.href }];
  return [{ whip: url.href, flv: flvOf(url) }];
}

/** @param {URL} whip */
function flvOf(whip) {
  if (RELAY.test(whip.pathname) || whip.searchParams.has('rest_route')) return '';
  const flv = new URL(whip);
  const { searchParams } = whip;
  const [app, stream] = [searchParams.get('app'), searchParams.get('stream')];
  if (app && stream) {
    flv.pathname = `${whip.pathname.replace(/\/rtc\/v1\/whip\/?$/, '')}/${app}/${stream}.flv`;
    for (const name of ['app', 'stream']) flv.searchParams.delete(name);
    return flv.href;
  }
  if (!/\/[^/]+\/[^/]+\/whip\/?$/.test(whip.pathname)) return '';
  flv.pathname = whip.pathname.replace(/\/whip\/?$/, '.flv');
  return flv.href;
}

/**
 * The WebSocket that takes FLV. WebSockets carry no headers, so the token is part of the address.
 * @param {string} flv
 * @param {string} token empty: none
 */
export function socketOf(flv, token) {
  const url = new URL(flv);
  url.protocol = url.protocol.replace('http', 'ws');
  url.search = query(bare(url.search), 'action=publish', parameter(token));
  return url.href;
}

/**
 * The same page over HTTPS, where browsers give out cameras. A page without a port is on the usual one;
 * else it is Lianmai's.
 * @param {Location | URL} page
 */
export const secureAddress = (page) => `https://${page.hostname}${page.port && ':8443'}${page.pathname}${page.search}`;
