// What an address is, and what an error code means.

/** @typedef {import('./sources/messages.js').Kind} Kind */

const NATIVE = /\.(mp4|m4v|m4a|mov|webm|ogv|ogg|mp3|aac|wav|flac)$/i;

/** Whether this browser should play HLS by itself: Chromium says that it can, and then fails on some streams. */
const nativeHls = () => {
  return (globalThis.ManagedMediaSource || !globalThis.MediaSource)
    && document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '';
};

/**
 * How to play an address; null when no browser can.
 * @param {URL} url
 * @param {string} protocol  the player's option
 * @returns {Kind | null}
 */
export function kindOf(url, protocol) {
  if (protocol === 'webrtc' || url.protocol === 'webrtc:' || /\/whep\/?$|\/rtc\/v1\/whep\//.test(url.pathname)) return 'webrtc';
  const web = /^(https?|blob|data|file):$/.test(url.protocol);
  const socket = /^wss?:$/.test(url.protocol);
  if (!web && !socket) return null;
  if (protocol !== 'auto' && protocol !== 'hls') return /** @type {Kind} */ (protocol);
  if (socket) return 'ws-flv';
  if (protocol === 'hls' || /\.m3u8$/i.test(url.pathname) || /\.m3u8\b/i.test(url.search)) return nativeHls() ? 'native' : 'hls';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'native';
  if (NATIVE.test(url.pathname)) return 'native';
  return /\.(ts|m2ts)$/i.test(url.pathname) ? 'ts' : 'flv';
}

/** @param {Kind} kind */
export const isNative = (kind) => kind === 'native';

/** @param {Kind} kind */
export const isFlv = (kind) => /flv/.test(kind);

/** @type {Record<string, string>} */
const SENTENCES = {
  'audio-unsupported': 'This browser cannot play the sound of this stream; the picture plays without it.',
  'autoplay-blocked': 'The browser wants a click before it plays sound.',
  'bad-url': 'This is not an address.',
  connections: 'This browser has no connection to this host left: it opens six at once. A ws:// address needs none of them.',
  cors: 'The server answers, but does not allow this page to read the stream (no Access-Control-Allow-Origin).',
  credentials: 'Browsers do not allow a user name and password in an address. Use the token instead.',
  csp: "The page's Content-Security-Policy does not allow the player to play. It lacks:",
  'refused-page': 'The stream was refused with a web page: a firewall or a login in front of the server does not let it through.',
  'segment-missing': 'Parts of the recording are missing on the server.',
  'web-page': 'This is the address of a web page, not of a stream.',
  closed: 'The server closed the connection.',
  'codec-unsupported': 'This browser cannot play the codecs of this stream.',
  engine: 'The player could not start.',
  forbidden: 'The server does not allow playing this stream.',
  http: 'The server answered with an error.',
  'media-error': 'The browser could not decode the stream.',
  network: 'The server cannot be reached.',
  'no-mse': 'This browser cannot play live streams.',
  'no-worker': 'The player runs without a worker.',
  'not-found': 'Nobody is live here now.',
  stalled: 'No data comes from the server.',
  'unsupported-format': 'This is not a stream that the player can read.',
  'unsupported-protocol': 'Browsers cannot play this kind of address.',
};

/** The English sentence for a code. @param {string} code */
export const sentence = (code) => SENTENCES[code] ?? code;
