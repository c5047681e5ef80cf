// Formats the player's statistics as text.

/**
 * @param {import('../types/index.js').Stats | null} stats
 * @param {(word: string) => string} words
 * @returns {[name: string, value: string][]} rows without unknown values
 */
export function rows(stats, words) {
  if (!stats) return [];
  /** @type {[string, string][]} */
  const all = [
    ['protocol', stats.protocol],
    ['latency', `${stats.latency.toFixed(2)} s`],
    ['buffer', `${stats.buffer.toFixed(2)} s`],
    ['bitrate', stats.bitrate ? `${Math.round(stats.bitrate / 1000)} kb/s` : ''],
    ['size', stats.width ? `${stats.width}×${stats.height}` : ''],
    ['fps', stats.fps ? String(Math.round(stats.fps)) : ''],
    ['codecs', stats.codecs],
    ['dropped', `${stats.dropped} / ${stats.decoded}`],
    ['stalls', String(stats.stalls)],
    ['reconnects', String(stats.reconnects)],
    ['rtt', stats.rtt ? `${Math.round(stats.rtt * 1000)} ms / ${Math.round((stats.loss ?? 0) * 100)} %` : ''],
    ['rate', `${stats.rate.toFixed(2)}×`],
  ];
  return all.filter(([, value]) => value).map(([word, value]) => [words(word), value]);
}
