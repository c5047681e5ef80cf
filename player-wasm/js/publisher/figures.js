// Formats the publisher's statistics as text.

/**
 * @param {import('../types/index.js').PublisherStats | null} stats
 * @param {(word: string) => string} say
 * @returns {[name: string, value: string][]} rows without unknown values
 */
export function figures(stats, say) {
  if (!stats) return [];
  /** @type {[string, string][]} */
  const all = [
    ['protocol', stats.protocol + (stats.transport && stats.protocol === 'webrtc' ? ` (${stats.transport.toUpperCase()})` : '')],
    ['bitrate', `${Math.round(stats.bitrate / 1000)} kb/s`],
    ['picture', stats.width ? `${stats.width}×${stats.height}` : ''],
    ['fps', stats.width ? String(Math.round(stats.fps)) : ''],
    ['codecs', stats.codecs.replace(',', ', ')],
    ['rtt', stats.protocol === 'webrtc' ? `${Math.round(stats.rtt * 1000)} ms` : ''],
    ['loss', `${(stats.loss * 100).toFixed(1)} %`],
    ['limitation', stats.width ? say(stats.limitation) : ''],
    ['reconnects', String(stats.reconnects)],
  ];
  return all.filter(([, value]) => value).map(([word, value]) => [say(word), value]);
}

/** Formats a duration as `1:02:03`. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours, ...rest] = parts.map((part, at) => (at ? String(part).padStart(2, '0') : String(part)));
  return parts[0] ? [hours, ...rest].join(':') : rest.join(':').replace(/^0/, '');
}
