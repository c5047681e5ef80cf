// Shows a title and the level of the audio while <srs-player> plays audio without video. Loaded only when it is needed.

import { h } from '../ui/dom.js';
import { readAddress } from '../net/stream-address.js';
import { newSheet } from '../ui/sheet.js';

const METER_CSS = `
.meter{position:absolute;inset:0;display:flex;flex-direction:column;gap:18px;align-items:center;justify-content:center;
padding:16px 16px 56px;pointer-events:none;text-align:center}
.meter b{max-width:100%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-size:17px;font-weight:600}
.meter span{display:flex;gap:8px;align-items:center;height:40%;max-height:96px;min-height:24px}
.meter i{width:10px;height:100%;border-radius:5px;background:var(--_accent);transform:scaleY(.1)}
.meter.unmeasured i{animation:meter 1.1s ease-in-out infinite alternate}
.meter.unmeasured i:nth-child(2n){animation-duration:.7s}
.meter.unmeasured i:nth-child(3n){animation-duration:.9s}
.seen .meter b{color:#fff;text-shadow:0 1px 4px #000}
@keyframes meter{from{transform:scaleY(.15)}to{transform:scaleY(.7)}}
@media (prefers-reduced-motion:reduce){.meter.unmeasured i{animation:none;transform:scaleY(.4)}}
`;

/** The highest frequency of each bar, in hertz. A bar shows the frequencies above those of the bar before it. */
const BANDS = [150, 400, 1000, 2500, 6000, 14_000];

/** Returns the last segment of the stream's name in an address, without the file extension. @param {string} url */
const nameOf = (url) => readAddress(url, document.baseURI)?.name.split('/').pop() ?? '';

/** The level meter of one player. */
export class Meter {
  #root; #sheet; #box; #bars;
  /** @type {AudioContext | null} */ #context = null;
  /** A capture of the video element, made for measuring only. @type {MediaStream | null} */ #captured = null;
  #frame = 0;

  /**
   * @param {{ title: string, url: string }} host
   * @param {HTMLVideoElement} video
   * @param {HTMLElement} stage the element that gets the meter as a child
   */
  constructor(host, video, stage) {
    this.#root = /** @type {ShadowRoot} */ (stage.getRootNode());
    this.#sheet = newSheet(stage.ownerDocument, METER_CSS);
    if (this.#sheet) this.#root.adoptedStyleSheets.push(this.#sheet);
    this.#bars = BANDS.map(() => h('i'));
    // Hidden from screen readers: they read the title already, as the name of the player.
    this.#box = h('div', { class: 'meter unmeasured', part: 'audio', 'aria-hidden': 'true' },
      h('b', {}, host.title || nameOf(host.url)), h('span', {}, ...this.#bars));
    stage.append(this.#box);
    try {
      this.#measure(video);
    } catch {
      // This browser cannot measure the level: a CSS animation moves the bars.
    }
  }

  close() {
    cancelAnimationFrame(this.#frame);
    this.#context?.close().catch(() => {});
    for (const track of this.#captured?.getTracks() ?? []) track.stop();
    this.#box.remove();
    this.#root.adoptedStyleSheets = this.#root.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }

  /** Measures a copy of the audio; the audible signal does not pass through here. @param {HTMLVideoElement} video */
  #measure(video) {
    const { srcObject } = video;
    const own = srcObject instanceof MediaStream;
    const stream = own ? srcObject : video.captureStream?.();
    if (!own) this.#captured = stream ?? null;
    if (!stream?.getAudioTracks().length) return;
    const context = this.#context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048, minDecibels: -80, maxDecibels: -20, smoothingTimeConstant: 0.7 });
    context.createMediaStreamSource(stream).connect(analyser);
    const levels = new Uint8Array(analyser.frequencyBinCount);
    const show = () => {
      this.#frame = requestAnimationFrame(show);
      // Browsers may keep an AudioContext suspended until the viewer clicks.
      const measured = context.state === 'running';
      this.#box.classList.toggle('unmeasured', !measured);
      if (!measured) return;
      analyser.getByteFrequencyData(levels);
      let at = 0;
      for (const [n, band] of BANDS.entries()) {
        const end = Math.max(at + 1, Math.ceil(band / context.sampleRate * 2 * levels.length));
        const loudest = Math.max(...levels.subarray(at, end)) / 255;
        /** @type {HTMLElement} */ (this.#bars[n]).style.transform = `scaleY(${Math.max(0.08, loudest).toFixed(2)})`;
        at = end;
      }
    };
    show();
  }
}
