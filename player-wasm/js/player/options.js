// The options of a player from the attributes of its element.

import { resolve } from './address.js';

/** What a browser plays by itself, and can fetch before it is played. */
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
 * Fetches a file before it is played, if the page says so. What is live cannot be.
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
