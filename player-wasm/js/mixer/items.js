// Reads the list of inputs, as pages write it.

import { MAX_SOURCES } from './layout/look.js';

/** @typedef {import('../types/define-mixer.js').MixInput} MixInput */
/**
 * An input of the mix.
 * @typedef {object} Item
 * @property {string} id the same one is the same input, whatever else changes
 * @property {string} url where it is played; empty: `media` is given
 * @property {MediaStream | null} media
 * @property {string} name
 * @property {number} gain
 * @property {boolean} muted
 * @property {boolean} hidden
 * @property {boolean} screen
 */

/** The inputs of a mix at most. */
export const MAX_INPUTS = MAX_SOURCES;
/** An input can be so many times as loud as it came. */
const MAX_GAIN = 4;

/**
 * The address where a stream is played or published: an address stays as it is, `app/name` is a stream of the server.
 * @param {string} text
 * @param {string} server
 * @param {'whep' | 'whip'} protocol
 */
export function addressOf(text, server, protocol) {
  if (!text || /^\w+:\/\//.test(text)) return text;
  const [, path = '', query = ''] = /^\/*([^?]*)(\?.*)?$/s.exec(text) ?? [];
  return `${server.replace(/\/+$/, '')}/${path}/${protocol}${query}`;
}

/**
 * @param {MixInput[]} list
 * @param {string} server
 * @returns {Item[]} at most {@link MAX_INPUTS}, each id once
 */
export function itemsOf(list, server) {
  /** @type {Map<string, Item>} */
  const items = new Map();
  for (const given of list) {
    const from = typeof given === 'string' || isStream(given) ? { stream: given } : given;
    const source = from.stream ?? from.url ?? '';
    const media = isStream(source) ? source : null;
    const text = media ? '' : String(source);
    if (!media && !text) continue;
    const [path = ''] = text.split('?');
    const id = String(from.id ?? (media?.id || text));
    const gain = Number(from.gain ?? 1);
    items.set(id, {
      id, media, url: addressOf(text, server, 'whep'),
      name: String(from.name ?? path.replace(/\/wh[ei]p\/?$/, '').split('/').pop() ?? ''),
      gain: gain >= 0 ? Math.min(gain, MAX_GAIN) : 1,
      muted: Boolean(from.muted), hidden: Boolean(from.hidden),
      screen: from.screen ?? /~screen$/.test(path),
    });
    if (items.size === MAX_INPUTS) break;
  }
  return [...items.values()];
}

/** @param {unknown} given @returns {given is MediaStream} */
const isStream = (given) => typeof given === 'object' && given !== null && 'getTracks' in given;

/**
 * Reads the size of the mix, such as `1280x720`; null: it cannot have this one. Encoders want even numbers.
 * @param {string} text
 */
export function sizeOf(text) {
  const [, width = 0, height = 0] = (/^\s*(\d+)\s*[x×]\s*(\d+)\s*$/i.exec(text) ?? []).map(Number);
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  return width % 2 || height % 2 || short < 64 || short > 1080 || long > 1920 ? null : { width, height };
}
