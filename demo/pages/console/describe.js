// Streams, clients and facts as sentences.

import { derived, figures } from './state.js';
import { count, rate, t } from './words.js';

/** @typedef {import('./state.js').Stream} Stream */
/** @typedef {import('./state.js').Fact} Fact */

/** A key frame should come at least this often, in milliseconds. */
const KEY_MS = 4000;
/** A bit rate swings if its upper samples are this many times the lower ones. */
const SWING = 2.5;

/** Names of protocols for people. @type {Record<string, string>} */
const PROTOCOLS = { rtmp: 'RTMP', rtmps: 'RTMPS', 'http-flv': 'HTTP-FLV', 'ws-flv': 'WebSocket-FLV', hls: 'HLS', whip: 'WHIP', whep: 'WebRTC', webrtc: 'WebRTC', srt: 'SRT', mix: 'Mix' };
/** @param {string} name */
export const protocol = (name) => PROTOCOLS[name] ?? name;

/** The short name of a program: `OBS/30.1 (…)` becomes `OBS/30.1`. @param {string} agent */
export function program(agent) {
  const obs = /(?:obs-output module\/libobs version |OBS[-/ ]Studio[/ ])([\d.]+)/i.exec(agent);
  if (obs) return `OBS ${obs[1]}`;
  if (/\bLavf[\d.]+/.test(agent)) return 'FFmpeg';
  const browser = /(Firefox|Edg|OPR|Chrome|Version)\/(\d+)/.exec(agent);
  if (/^Mozilla/.test(agent) && browser) return `${{ Edg: 'Edge', OPR: 'Opera', Version: 'Safari' }[browser[1]] ?? browser[1]} ${browser[2]}`;
  return agent.split(' (')[0].slice(0, 60) || t('byUnknown');
}

/** @param {number} n */
export const seconds = (n) => (n < 10 ? n.toFixed(1).replace(/\.0$/, '') : String(Math.round(n)));

/** Describes the publisher of a stream. @param {Stream} stream */
export function publisher({ publisher: by, live }) {
  // Jobs of the gateway, such as a mix, are not among the clients.
  if (!by) return live ? t('itself') : '';
  if (by.identity === 'job') return t('job', { name: by.protocol });
  const words = t(by.ip ? 'by' : 'byNoIp', { agent: program(by.agent), protocol: protocol(by.protocol), ip: by.ip ?? '' });
  return by.name ? `${by.name} · ${words}` : words;
}

/** Describes the video and the audio of a stream. @param {Stream} stream */
export function media(stream) {
  const { fps, kbps } = derived(stream.name);
  const { video, audio } = stream;
  return [
    video ? `${video.width}×${video.height}` : t('noVideo'),
    video && fps >= 0.5 ? t('fps', { n: Math.round(fps) }) : '',
    rate(kbps || stream.kbps),
    [video?.codec, audio?.codec].filter(Boolean).join(' + '),
    audio ? '' : t('noAudio'),
  ].filter(Boolean).join(' · ');
}

/** @param {Stream} stream */
export const viewersOf = ({ viewers }) => Object.values(viewers).reduce((sum, n) => sum + n, 0);

/** Describes the viewers of a stream. @param {Stream} stream */
export function viewers(stream) {
  const n = viewersOf(stream);
  if (n === 0) return t('nobodyWatches');
  /** @type {Record<string, number>} */
  const by = {};
  for (const [name, number] of Object.entries(stream.viewers)) by[protocol(name)] = (by[protocol(name)] ?? 0) + number;
  return t('watching', { viewers: count('viewers', n), list: Object.entries(by).map(([name, number]) => `${number} ${name}`).join(', ') });
}

/** Returns the fault of a stream with its cure, in one sentence; an empty text if there is none. @param {Stream} stream */
export function amiss(stream) {
  const { awayMs, low, high, silent } = derived(stream.name);
  if (!stream.live) {
    const left = Math.ceil((figures?.reconnect_s ?? 0) - awayMs / 1000);
    return left > 0 ? t('amissAway', { n: left }) : t('amissAwayNow');
  }
  if (silent) return t('amissNone');
  if (stream.video && stream.key_ms !== null && stream.key_ms > KEY_MS) return t('amissKeys', { n: seconds(stream.key_ms / 1000) });
  const { whep = 0, webrtc = 0, play = 0 } = stream.viewers;
  if (stream.video?.reordered && whep + webrtc + play > 0) return t('amissOrder');
  if (!stream.audio && stream.video) return t('amissAudio');
  if (low > 0 && high > low * SWING) return t('amissRate', { low: rate(low), high: rate(high) });
  return '';
}

/** A fact as a sentence. @param {Fact} fact */
export function sentence(fact) {
  const { what, act = '', count: n } = fact;
  const values = { ...fact, stream: fact.stream ?? '', protocol: protocol(fact.protocol ?? ''), ip: fact.ip ?? '–', name: fact.name ? `(${program(fact.name)})` : '', reason: fact.reason ?? '' };
  if (/^(key_|logged)/.test(what)) values.name = fact.name ?? '';
  const key = ['refused', 'kicked'].includes(what) ? `f_${what}_${act}` : `f_${what}`;
  const text = t(key, values).trim();
  if (text === key) return t('f_other', values).trim();
  return what === 'kicked' && n ? t('f_kicked_out', { text, count: n }) : text;
}
