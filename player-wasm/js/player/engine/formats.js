// Chooses how an address is played: by its suffix and the option `protocol`.

/** @typedef {import('./sources/messages.js').Kind} Kind */

const NATIVE = /\.(mp4|m4v|m4a|mov|webm|ogv|ogg|mp3|aac|wav|flac)$/i;

/** Returns whether this browser should play HLS without the engine. Chromium reports that it can, but fails on some streams. */
const nativeHls = () => {
  return (globalThis.ManagedMediaSource || !globalThis.MediaSource)
    && document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '';
};

/**
 * Returns how to play an address; null if no browser can play it.
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
