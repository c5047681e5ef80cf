// Parses addresses of streams, for players and publishers, and creates a stream's addresses in other protocols.

import { isPageHost } from './host.js';

/**
 * A parsed address.
 * @typedef {object} StreamAddress
 * @property {string[]} origins possible origins of the server, the most likely first; with a path if a proxy has the
 *   server below one
 * @property {string} name `app/stream`, decoded; empty if the address has none
 * @property {string} search the query with its question mark
 * @property {string} url the absolute address if its scheme is HTTP; empty for `webrtc://`
 * @property {boolean} endpoint whether it is the address of a WHIP or WHEP endpoint
 */

/** Parameters that this module reads. They are not sent with an offer. */
const OF_OFFER = /^(app|stream|api|play|schema)=/;
/** These parameters, and those of the server's side of WebRTC, have no meaning in other protocols. */
const OF_WEBRTC = /^(app|stream|api|play|schema|eip|candidate|action)=/;
/** WordPress forwards an offer to a server, but has no streams itself. */
const RELAY = /\/wp-json\/|\/lianmai\/v1\/whip\/?$|[?&]rest_route=/;

/**
 * Parses `webrtc://host[:port]/app/stream?query`, the address of a WHIP or WHEP endpoint, or another address of HTTP or
 * WebSocket, which names a stream if it has the form `/app/stream.ending`. In the query of `webrtc://` the parameter
 * `schema` is the scheme of the signalling, as with SRS.
 * @param {string} text an address; may be relative to the page
 * @param {string} base the page's address
 * @returns {StreamAddress | null} null for another address
 */
export function readAddress(text, base) {
  const page = new URL(base);
  const webrtc = /^\s*webrtc:/i.test(text);
  let url;
  try {
    url = webrtc ? new URL(text.replace(/webrtc/i, 'http')) : new URL(text, page);
  } catch {
    return null;
  }
  url.hash = '';
  const { protocol, pathname, search, searchParams: query, username } = url;
  if (username || !/^(http|ws)s?:$/.test(protocol)) return null;
  if (webrtc) {
    const name = decodedName(pathname);
    const scheme = (query.get('schema') ?? page.protocol).replace(':', '') === 'https' ? 'https:' : 'http:';
    const origins = /^[^/]*\/\/[^/?#]*:\d+([/?#]|$)/.test(text) ? [`${scheme}//${url.host}`] : originsOf(url.hostname, scheme, page);
    return name ? { origins, name, search, url: '', endpoint: false } : null;
  }
  url.protocol = protocol.replace('ws', 'http');
  const [, folder] = /^(.*?)\/rtc\/v1\/wh[ei]p(-play)?\/?$/.exec(pathname) ?? [];
  const [, path] = /^(.*)\/wh[ei]p\/?$/.exec(pathname) ?? [];
  const stream = query.get('stream');
  const name = RELAY.test(pathname + search) ? ''
    : folder === undefined ? decodedName(path ?? pathname.replace(/\.\w+$/, '')) : stream ? `${query.get('app') || 'live'}/${stream}` : '';
  return { origins: [url.origin + (folder ?? '')], name, search, url: url.href, endpoint: (folder ?? path) !== undefined };
}

/**
 * Returns possible origins for an address without a port: the page's origin if it has the same host, SRS's port, and
 * Lianmai's port.
 * @param {string} hostname
 * @param {string} scheme `http:` or `https:`
 * @param {URL} page
 */
function originsOf(hostname, scheme, page) {
  const usual = (scheme === 'https:' ? ['', ':8443'] : [':1985', ':8080']).map((port) => `${scheme}//${hostname}${port}`);
  return scheme === page.protocol && isPageHost(hostname, page) ? [...new Set([page.origin, ...usual])] : usual;
}

/** Returns `app/stream` of a percent-encoded path; empty if the path is too short. @param {string} path */
function decodedName(path) {
  const name = path.split('/').filter(Boolean).join('/');
  try {
    return name.includes('/') ? decodeURIComponent(name) : '';
  } catch {
    return name;
  }
}

/** Returns the query without some parameters. @param {string} search @param {RegExp} without */
function queryOf(search, without) {
  const rest = search.slice(1).split('&').filter((part) => part && !without.test(part)).join('&');
  return rest && `?${rest}`;
}

/** Returns the parameters that are sent with an offer. @param {StreamAddress} address */
export const offerQuery = ({ search }) => queryOf(search, OF_OFFER);

/**
 * Returns the address to which an offer for a stream is sent.
 * @param {StreamAddress} address
 * @param {number} origin which of its origins
 * @param {'whip' | 'whep'} protocol
 */
export function endpointOf(address, origin, protocol) {
  const { name, origins, endpoint, url } = address;
  if (endpoint) return url;
  const cut = name.lastIndexOf('/');
  // A slash is allowed in a query, and some servers do not decode it.
  const [app, stream] = [name.slice(0, cut), name.slice(cut + 1)].map((part) => encodeURIComponent(part).replace(/%2F/g, '/'));
  return `${origins[origin]}/rtc/v1/${protocol}/?app=${app}&stream=${stream}${offerQuery(address).replace('?', '&')}`;
}

/** Returns the stream's path on its server, without a suffix. @param {StreamAddress} address */
export const pathOf = ({ name }) => `/${encodeURI(name).replace(/[?#]/g, encodeURIComponent)}`;

/**
 * Returns the stream's address in another protocol.
 * @param {StreamAddress} address
 * @param {number} origin which of its origins
 * @param {string} protocol `flv`, `ws-flv`, `hls` …
 */
export function elsewhere(address, origin, protocol) {
  const at = address.origins[origin] ?? '';
  const ending = protocol === 'hls' || protocol === 'native' ? 'm3u8' : protocol.replace('ws-', '');
  const query = queryOf(address.search, OF_WEBRTC);
  return `${protocol === 'ws-flv' ? at.replace('http', 'ws') : at}${pathOf(address)}.${ending}${query}`;
}
