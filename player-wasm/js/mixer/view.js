// The mixer's controls: start, stop, a preview, and what is going on.

import { h, tell } from '../ui/dom.js';
import { newSheet } from '../ui/sheet.js';
import { MIXER_CSS } from './style.js';
import { fetched, words } from './texts.js';

const BUSY = ['connecting', 'live', 'reconnecting'];

export class MixerView {
  /** @type {HTMLVideoElement} */
  video = h('video', { part: 'video', tabindex: '-1' });
  #host; #root;
  #start = h('button', { type: 'button', class: 'start', part: 'button start', onclick: () => void this.#host.start().catch(() => {}) });
  #stop = h('button', { type: 'button', class: 'stop', part: 'button stop', onclick: () => void this.#host.stop() });
  #status = h('p', { role: 'status', part: 'status' });
  #problem = h('p', { role: 'alert', class: 'problem', part: 'message' });
  #bar = h('div', { class: 'bar', part: 'controls' }, this.#stop, this.#status);
  #frame = h('div', { role: 'group', part: 'frame' }, this.video, this.#problem, this.#start, this.#bar);

  /** @param {import('./element.js').SrsMixerElement} host @param {ShadowRoot} root */
  constructor(host, root) {
    this.#host = host;
    this.#root = root;
    Object.assign(this.video, { muted: true, autoplay: true, playsInline: true });
    root.append(this.#frame);
    this.settle();
  }

  /** Styles the shadow tree for its document. */
  settle() {
    const sheet = newSheet(this.#root.ownerDocument, MIXER_CSS);
    this.#root.adoptedStyleSheets = sheet ? [sheet] : [];
  }

  /** @param {MediaStreamTrack | null} track */
  preview(track) { this.video.srcObject = track && new MediaStream([track]); }

  render() {
    const { state, error, warning, inputs, lang } = this.#host;
    const busy = BUSY.includes(state);
    const focused = this.#root.activeElement;
    void fetched(lang)?.then((came) => { if (came) this.render(); });
    this.#frame.setAttribute('aria-label', words(lang)('mixer'));
    this.#frame.dataset.state = state;
    this.#frame.classList.toggle('seen', Boolean(this.video.srcObject));
    this.#start.textContent = words(lang)('start');
    this.#stop.textContent = words(lang)('stop');
    this.#start.hidden = busy;
    this.#stop.hidden = !busy;
    const live = inputs.filter((input) => input.state === 'live').length;
    tell(this.#status, words(lang)(state, `${live}/${inputs.length}`));
    tell(this.#problem, error?.message || warning);
    // The button that was pressed is hidden now: the other one is the next to press.
    if (focused === this.#start && busy) this.#stop.focus();
    if (focused === this.#stop && !busy) this.#start.focus();
  }
}
