// Which stream an address names, and where a gateway has it: WebRTC signalling, HTTP-FLV, HLS.

/**
 * A stream of a gateway.
 * @typedef {object} Place
 * @property {string[]} origins where the gateway may listen, the likeliest first
 * @property {string} signalling path and query that take an SDP offer
 * @property {string} streamurl for SRS's JSON signalling; empty: WHEP
 * @property {string} path `/app/stream`; empty when the address does not tell
 * @property {string} query with its question mark, for the stream's other addresses
 */

/** Says how to reach the gateway: not for the stream's other addresses. */
const HOW = /^(app|stream|api|play|schema|eip|candidate|action)=/;

/** @param {string} host */
const loopback = (host) => /^(127\.|localhost$|\[::1\]$)/.test(host);

/**
 * Where a gateway listens that an address names by its host: there, if a port is given; else the page's
 * own server if that is the host's; else what is usual for the scheme.
 * @param {string} host
 * @param {string} port
 * @param {string} scheme `http:` or `https:`
 * @param {URL} page
 */
function origins(host, port, scheme, page) {
  if (port) return [`${scheme}//${host}:${port}`];
  const usual = (scheme === 'https:' ? ['', ':8443'] : [':1985']).map((end) => `${scheme}//${host}${end}`);
  const own = host === page.hostname || (loopback(host) && loopback(page.hostname));
  return own && scheme === page.protocol ? [...new Set([page.origin, ...usual])] : usual;
}

/** @param {string} query without its question mark @param {(part: string) => boolean} keep */
function only(query, keep) {
  const rest = query.split('&').filter((part) => part && keep(part)).join('&');
  return rest && `?${rest}`;
}

/**
 * Reads `webrtc://host[:port]/app/stream?query`, a WHEP address, or the address of a stream over HTTP or
 * WebSocket. In the query, as with SRS: `schema` is the scheme of the signalling, `play` the path of a
 * JSON API to use for it, and `eip` is passed on.
 * @param {string} text
 * @param {string} base the page's address
 * @returns {Place | null} null: it names no stream
 */
export function place(text, base) {
  const page = new URL(base);
  const [, authority = '', named = '', asked = ''] = /^webrtc:\/\/([^/?#]+)([^?#]*)\??([^#]*)/i.exec(text) ?? [];
  if (!authority && /^webrtc:/i.test(text)) return null;
  if (authority) {
    const [, host = '', port = ''] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
    const given = new URLSearchParams(asked);
    const scheme = given.get('schema') ?? page.protocol.slice(0, -1);
    const where = origins(host, port, scheme === 'https' ? 'https:' : 'http:', page);
    return stream(where, named, asked, given.get('play') ? { api: given.get('play') ?? '', url: text } : undefined);
  }
  const url = new URL(text, page);
  const where = [url.origin.replace(/^ws/, 'http')];
  const query = url.search.slice(1);
  const [, folder] = /^(.*?)\/rtc\/v1\/whep\b/.exec(url.pathname) ?? [];
  const whep = /^(.*)\/whep\/?$/.exec(url.pathname);
  if (folder === undefined && !whep) return stream(where, url.pathname.replace(/\.\w+$/, ''), query);
  const { searchParams } = url;
  const path = folder !== undefined
    ? searchParams.has('stream') ? `${folder}/${searchParams.get('app') ?? 'live'}/${searchParams.get('stream')}` : ''
    // Of whep addresses in general nothing is known but that they are such.
    : /^(\/[^/]+){2}$/.exec(whep?.[1] ?? '')?.[0] ?? '';
  const other = only(query, (part) => !HOW.test(part));
  return { origins: where, signalling: url.pathname + url.search, streamurl: '', path, query: other };
}

/**
 * @param {string[]} where
 * @param {string} named `/app/stream`
 * @param {string} query
 * @param {{ api: string, url: string }} [json]
 * @returns {Place | null}
 */
function stream(where, named, query, json) {
  const path = named.replace(/\/$/, '');
  const [, app, name] = /^\/(.+)\/([^/]+)$/.exec(path) ?? [];
  if (!app || !name) return null;
  const passed = only(query, (part) => !/^(app|stream|api|play|schema)=/.test(part));
  const signalling = json
    ? `/${json.api}/`.replace(/\/+/g, '/') + passed
    : `/rtc/v1/whep/?app=${app}&stream=${name}${passed.replace('?', '&')}`;
  return { origins: where, signalling, streamurl: json?.url ?? '', path, query: only(query, (part) => !HOW.test(part)) };
}

/**
 * The stream's address in another protocol.
 * @param {Place} place
 * @param {number} origin which
 * @param {string} protocol `flv`, `ws-flv`, `hls` …
 */
export function elsewhere({ origins, path, query }, origin, protocol) {
  const at = protocol === 'ws-flv' ? origins[origin].replace('http', 'ws') : origins[origin];
  const ending = protocol === 'hls' || protocol === 'native' ? 'm3u8' : protocol.replace('ws-', '');
  return `${at}${path}.${ending}${query}`;
}
