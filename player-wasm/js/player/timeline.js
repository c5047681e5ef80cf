// The timeline of a recording or of a live window: where the playhead is, what is buffered, and seeking.
// Fetched when there is something to seek in.

import { h } from '../ui/dom.js';

/** A live window of fewer seconds has no timeline, unless the viewer is behind live. */
const SHORTEST = 20;
/** Seconds from the end of a live window that count as live. */
const EDGE = 3;

/** The style, in addition to that of the controls. */
export const LINE_CSS = `
.bar{flex-wrap:wrap}
.line{flex:0 0 100%;display:flex;align-items:center;gap:10px;padding:0 8px;font-size:12px;font-variant-numeric:tabular-nums;--_loaded:color-mix(in srgb,currentColor 45%,transparent)}
.line div{flex:1;min-width:0;position:relative}
.line span:empty{display:none}
.frame .line input{display:block;width:100%;margin:0;height:24px;appearance:none;touch-action:none;background:
linear-gradient(var(--_accent) 0 0) 0/calc(7px + var(--_at)*(100% - 14px)) 4px no-repeat,
var(--_buffered) center/calc(100% - 14px) 4px no-repeat,
linear-gradient(color-mix(in srgb,currentColor 25%,transparent) 0 0) center/100% 4px no-repeat;background-position-y:center}
.line input::-webkit-slider-thumb{appearance:none;width:14px;height:14px;border-radius:50%;border:1px solid var(--_accent);background:#fff}
.line input::-moz-range-thumb{width:12px;height:12px;border-radius:50%;border:1px solid var(--_accent);background:#fff}
.tip{position:absolute;bottom:24px;transform:translateX(-50%);padding:2px 8px;border-radius:6px;background:var(--_panel);color:#f4f6fb;pointer-events:none}
.small .bar button{min-width:32px}
.small .bar .badge{padding:0 4px;font-size:10px;letter-spacing:0}
@media (prefers-color-scheme:light){.tip{--_panel:#fffffff0;color:#182033}}
`;

/** Formats a time as hours, minutes and seconds. @param {number} seconds */
export function clock(seconds) {
  const all = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(all % 60)}`;
}

/** A row above the controls. Time runs from left to right in every language, as in other players. */
export class Timeline {
  #host; #video; #words;
  /** Whether a finger or the mouse holds the thumb. */
  #held = false;

  /**
   * @param {import('../types/index.js').SrsPlayerElement} host
   * @param {HTMLVideoElement} video
   * @param {(word: string, detail?: string) => string} words
   */
  constructor(host, video, words) {
    this.#host = host;
    this.#video = video;
    this.#words = words;
    this.bar = h('input', { type: 'range', part: 'timeline', step: 'any', oninput: () => this.#seek(Number(this.bar.value)) });
    this.at = h('span', { part: 'time' });
    this.all = h('span', { part: 'time' });
    this.tip = h('span', { class: 'tip', 'aria-hidden': 'true', hidden: true });
    this.row = h('div', { class: 'line', dir: 'ltr' }, this.at, h('div', {}, this.bar, this.tip), this.all);
    this.bar.addEventListener('pointerdown', () => { this.#held = true; });
    for (const type of ['pointerup', 'pointercancel', 'change', 'blur']) {
      this.bar.addEventListener(type, () => {
        this.#held = false;
        this.tip.hidden = true;
      });
    }
    this.bar.addEventListener('pointermove', (event) => this.#preview(event.offsetX / this.bar.clientWidth));
    this.bar.addEventListener('pointerleave', () => { this.tip.hidden = true; });
    for (const type of ['timeupdate', 'progress', 'durationchange', 'seeking']) {
      video.addEventListener(type, () => this.render(this.#words));
    }
  }

  /** Returns the range in which the viewer can seek; null if there is none. @returns {[number, number] | null} */
  static span(/** @type {HTMLVideoElement} */ { duration, seekable, buffered }, /** @type {import('../types/index.js').Stats | null} */ stats) {
    if (duration > 0 && duration < Infinity) return [0, duration];
    const ranges = seekable.length ? seekable : buffered;
    if (duration !== Infinity || !ranges.length) return null;
    const begin = ranges.start(0), end = ranges.end(ranges.length - 1);
    const window = /^(hls|native)$/.test(stats?.protocol ?? '') && end - begin >= SHORTEST;
    return window || stats?.behind ? [begin, end] : null;
  }

  /** Shows the current times of the video. @param {(word: string, detail?: string) => string} words */
  render(words) {
    this.#words = words;
    const video = this.#video;
    const span = Timeline.span(video, this.#host.stats);
    this.row.hidden = !span;
    if (!span) return;
    const [begin, end] = span;
    const { bar } = this;
    const time = this.#held ? Number(bar.value) : Math.min(end, Math.max(begin, video.currentTime));
    bar.min = String(begin);
    bar.max = String(end);
    bar.value = String(time);
    const part = (/** @type {number} */ at) => Math.min(1, Math.max(0, (at - begin) / (end - begin || 1)));
    const { buffered } = video;
    const stops = ['#0000 0'];
    for (let n = 0; n < buffered.length; n++) {
      const [from, to] = [part(buffered.start(n)), part(buffered.end(n))].map((at) => `${(at * 100).toFixed(2)}%`);
      stops.push(`#0000 ${from}`, `var(--_loaded) ${from} ${to}`, `#0000 ${to}`);
    }
    bar.style.setProperty('--_at', part(time).toFixed(4));
    bar.style.setProperty('--_buffered', `linear-gradient(90deg,${stops.join()})`);
    const live = video.duration === Infinity;
    this.at.textContent = this.#name(time, begin, end);
    this.all.textContent = live ? '' : clock(end);
    bar.setAttribute('aria-label', words('position'));
    // Screen readers do not read out changes by themselves while the thumb has the focus.
    if (!bar.matches(':focus') || this.#held) this.#say(time, begin, end);
  }

  /** @param {number} time @param {number} begin @param {number} end */
  #name(time, begin, end) {
    return this.#video.duration === Infinity ? (end - time < EDGE ? '' : `−${clock(end - time)}`) : clock(time - begin);
  }

  /** @param {number} time @param {number} begin @param {number} end */
  #say(time, begin, end) {
    const live = this.#video.duration === Infinity;
    const behind = end - time < EDGE ? this.#words('live') : this.#words('behind', clock(end - time));
    this.bar.setAttribute('aria-valuetext', live ? behind : `${clock(time)} / ${clock(end)}`);
  }

  /** @param {number} time */
  #seek(time) {
    const [begin, end] = [Number(this.bar.min), Number(this.bar.max)];
    if (this.#video.duration === Infinity && end - time < EDGE) this.#host.goLive();
    else this.#host.currentTime = time;
    this.#say(time, begin, end);
    if (this.#held) this.#preview((time - begin) / (end - begin));
  }

  /** Shows the time under the pointer. @param {number} part of the bar */
  #preview(part) {
    const [begin, end] = [Number(this.bar.min), Number(this.bar.max)];
    const at = Math.min(1, Math.max(0, part));
    this.tip.textContent = this.#name(begin + at * (end - begin), begin, end) || this.#words('live');
    this.tip.style.left = `${at * 100}%`;
    this.tip.hidden = false;
  }
}
