// The options of a player from the attributes of its element.

import { resolve } from './address.js';

/** Addresses that the browser plays without the engine and can preload. */
const FILE = /\.(mp4|m4v|m4a|mov|webm|ogv|ogg|mp3)$/i;

/** @param {Element & { token: import('../net/token-ask.js').Token }} element */
export function options(element) {
  const latency = element.getAttribute('latency');
  const retry = element.getAttribute('retry');
  return {
    latency: /** @type {import('./engine/player.js').Latency} */ (/^(realtime|low|normal)$/.test(latency ?? '') ? latency : 'low'),
    protocol: /** @type {import('./engine/player.js').Protocol} */ (element.getAttribute('protocol') || 'auto'),
    retry: retry && Number(retry) >= 0 ? Number(retry) : Infinity,
    loop: element.hasAttribute('loop'),
    token: element.token,
  };
}

/**
 * Preloads a file if the page asks for it. Live streams are not preloaded.
 * @param {HTMLVideoElement} video
 * @param {string} url
 * @param {string | null} wish the attribute `preload`
 */
export function preload(video, url, wish) {
  if (!/^(auto|metadata)?$/.test(wish ?? 'none')) return;
  const address = resolve(url, document.baseURI);
  if ('code' in address || !FILE.test(new URL(address.url).pathname)) return;
  video.preload = wish === 'metadata' ? wish : 'auto';
  video.src = address.url;
}
