// Parses the query of the pages for playing and publishing.

/**
 * Reads `?url=…&autoplay&muted&latency=low`, and SRS's
 * `?app=live&stream=livestream.flv&server=host&port=8080&schema=http&autostart=true`.
 * @param {URLSearchParams} query
 * @param {{ protocol: string, hostname: string, port: string }} page
 */
export function address(query, page) {
  const on = (/** @type {string} */ name) => query.has(name) && !/^(false|0)$/.test(query.get(name) ?? '');
  return {
    url: query.get('url') ?? fromParts(query, page),
    autoplay: on('autoplay') || on('autostart'),
    muted: on('muted'),
    latency: /^(realtime|low|normal)$/.exec(query.get('latency') ?? '')?.[0] ?? '',
  };
}

/**
 * Converts user input to an address: `live/livestream` is a stream of this gateway, and an address
 * without a suffix is HTTP-FLV.
 * @param {string} text
 * @param {string | URL} root  the gateway
 */
export function complete(text, root) {
  if (!URL.canParse(text, root)) return text;
  const url = new URL(text, root);
  if (!/^(http|ws)s?:$/.test(url.protocol)) return text;
  // At least two segments, and no dot in the last one.
  url.pathname = url.pathname.replace(/^\/[^]+\/[^/.]+$/, '$&.flv');
  return url.href;
}

/**
 * Returns the address to which the publisher's page publishes, from `?url=…`, SRS's `?app=live&stream=x&server=host`, or this
 * gateway's `live/livestream`.
 * @param {URLSearchParams} query
 * @param {{ hostname: string }} page
 */
export function publishAddress(query, page) {
  const rest = new URLSearchParams([...query].filter(([name]) => name === 'schema' || !PARTS.includes(name))).toString();
  return query.get('url') ?? `webrtc://${query.get('server') ?? page.hostname}/${query.get('app') ?? 'live'}/${
    query.get('stream') ?? 'livestream'}${rest && `?${rest}`}`;
}

/**
 * Returns the stream that an address for publishing names.
 * @param {string} text `webrtc://host/app/stream?…`, or a WHIP address
 * @returns {{ hostname: string, name: string } | null}
 */
export function streamOf(text) {
  const http = text.replace(/^webrtc:/i, 'http:');
  if (!/^[a-z]+:\/\//i.test(text) || !URL.canParse(http)) return null;
  const { hostname, pathname, searchParams } = new URL(http);
  const [app, stream] = [searchParams.get('app'), searchParams.get('stream')];
  const name = /\/rtc\/v1\/whip\/?$/.test(pathname) ? `${app}/${stream}` : pathname.slice(1).replace(/(\.flv|\/whip)?\/?$/, '');
  return /^[^/]+(\/[^/]+)+$/.test(name) ? { hostname, name } : null;
}

/** Parameters that give the position of the stream. All others belong to the stream (a secret, a token). */
const PARTS = ['app', 'stream', 'server', 'port', 'schema', 'vhost', 'autostart', 'autoplay', 'muted', 'latency', 'lang'];

/**
 * @param {URLSearchParams} query
 * @param {{ protocol: string, hostname: string, port: string }} page
 */
function fromParts(query, page) {
  const stream = query.get('stream');
  if (!stream) return '';
  const server = query.get('server') ?? page.hostname;
  const schema = query.get('schema') ?? page.protocol.replace(':', '');
  const own = server === page.hostname && `${schema}:` === page.protocol;
  const port = query.get('port') ?? (own ? page.port : schema === 'http' ? '8080' : '');
  const rest = new URLSearchParams([...query].filter(([name]) => !PARTS.includes(name))).toString();
  // SRS adds .flv to a name without a suffix.
  const file = /\.\w+$/.test(stream) || !/^(http|ws)/.test(schema) ? stream : `${stream}.flv`;
  return `${schema}://${server}${port && `:${port}`}/${query.get('app') ?? 'live'}/${file}${rest && `?${rest}`}`;
}
