// Server-sent events of the gateway: figures of all streams every two seconds, and facts as they happen.

import { ROOT } from '../assets/site.js';
import { call } from './api.js';

/** @typedef {{ id: string, protocol: string, ip: string | null, agent: string, identity: string, name: string | null, since_ms: number }} Publisher */
/** @typedef {{ name: string, since_ms: number, live: boolean, video: any, audio: any, frames: number, bytes: number, kbps: number, key_ms: number | null, publisher: Publisher | null, viewers: Record<string, number>, sent_kbps: number, skipped: number }} Stream */
/** @typedef {{ fps: number, kbps: number, low: number, high: number, awayMs: number, silent: boolean }} Derived */
/** @typedef {{ number: number, at_ms: number, what: string, stream?: string, act?: string, protocol?: string, ip?: string, name?: string, reason?: string, count?: number }} Fact */
/** @typedef {{ now_ms: number, total: number, streams: Stream[], viewers: number, connections: number, memory_bytes: number, cpu_percent: number | null, reconnect_s: number }} Figures */

/** Samples of a stream's bit rate that are looked at: half a minute. */
const SAMPLES = 15;
/** Facts that are kept here. */
const MAX_FACTS = 500;
/** A page that nobody sees ends its connection after this time: a browser has few of them for a host. */
const UNSEEN_MS = 30_000;

/** The newest figures. @type {Figures | null} */
export let figures = null;
/** Facts, newest last. @type {Fact[]} */
export let facts = [];

/** @type {Map<string, { frames: number, bytes: number, at: number, rates: number[], away: number, derived: Derived }>} */
const before = new Map();

/** Computes rates from two figures of a stream. @param {string} name @returns {Derived} */
export const derived = (name) => before.get(name)?.derived ?? { fps: 0, kbps: 0, low: 0, high: 0, awayMs: 0, silent: false };

/** @param {Figures} now */
function derive(now) {
  const names = new Set(now.streams.map(({ name }) => name));
  for (const name of before.keys()) if (!names.has(name)) before.delete(name);
  for (const { name, frames, bytes, live } of now.streams) {
    const last = before.get(name);
    const seconds = last ? (now.now_ms - last.at) / 1000 : 0;
    const away = live ? 0 : last?.away || now.now_ms;
    if (!last || seconds <= 0 || bytes < last.bytes) {
      before.set(name, { frames, bytes, at: now.now_ms, rates: [], away, derived: { fps: 0, kbps: 0, low: 0, high: 0, awayMs: away && now.now_ms - away, silent: false } });
      continue;
    }
    const kbps = ((bytes - last.bytes) * 8) / 1000 / seconds;
    const rates = live ? [...last.rates, kbps].slice(-SAMPLES) : [];
    // Only a full half minute says whether a rate is steady; single samples at both ends do not count.
    const sorted = [...rates].sort((a, b) => a - b);
    const [low, high] = rates.length === SAMPLES ? [sorted[2], sorted[SAMPLES - 3]] : [0, 0];
    const fps = (frames - last.frames) / seconds;
    before.set(name, { frames, bytes, at: now.now_ms, rates, away, derived: { fps, kbps, low, high, awayMs: away && now.now_ms - away, silent: live && bytes === last.bytes } });
  }
}

/**
 * Listens to the gateway until the page ends.
 * @param {{ changed: () => void, fact: (fact: Fact) => void, missed: (count: number) => void, lost: (lost: boolean) => void }} told
 */
export function listen(told) {
  /** @type {EventSource | null} */
  let source = null;
  let timer = 0;
  let closed = false;

  /** @param {string} name @param {(data: any) => void} take */
  const on = (name, take) => source?.addEventListener(name, (event) => take(JSON.parse(/** @type {MessageEvent} */ (event).data)));
  const open = () => {
    if (closed || source) return;
    source = new EventSource(new URL('api/v1/events', ROOT));
    source.addEventListener('error', () => {
      told.lost(true);
      if (source?.readyState !== EventSource.CLOSED) return;
      // A refusal: this call finds out whether the login has ended.
      close();
      void call('GET', 'api/v1/logins');
      timer = window.setTimeout(open, 3000);
    });
    on('past', ({ facts: past }) => {
      facts = past;
      told.lost(false);
      told.changed();
    });
    on('figures', (/** @type {Figures} */ now) => {
      derive(now);
      figures = now;
      told.lost(false);
      told.changed();
    });
    on('fact', (/** @type {Fact} */ fact) => {
      if (fact.number > 0) facts = [...facts.slice(1 - MAX_FACTS), fact];
      told.fact(fact);
    });
    on('missed', ({ count }) => told.missed(count));
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const seen = () => {
    clearTimeout(timer);
    if (document.hidden) timer = window.setTimeout(close, UNSEEN_MS);
    else open();
  };
  document.addEventListener('visibilitychange', seen);
  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', seen);
    close();
  };
}
