// The controls: they call the public methods of the element and show its state.

import { h, icon, tell } from '../ui/dom.js';
import { toggleFullscreen, togglePictureInPicture } from './screen.js';
import { ICON } from './icons.js';
import { press } from './keys.js';
import { fetched, words } from './texts.js';
import { newSheet } from '../ui/sheet.js';
import { adopt, CSS_TEXT } from '../ui/style.js';
import { rows } from './stats-view.js';

const HIDE_AFTER = 2500;

export class Skin {
  #host;
  #video;
  #root;
  /** @type {ReturnType<typeof words>} */
  #words;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #pointer = false;
  #notice = '';
  /** @type {ResizeObserver | undefined} */
  #sized;
  /** Whether the stream plays audio without video. */
  #bare = false;
  /** @type {import('./meter.js').Meter | null} */
  #meter = null;

  /**
   * @param {import('../types/index.js').SrsPlayerElement} host
   * @param {HTMLVideoElement} video
   * @param {ShadowRoot} root
   */
  constructor(host, video, root) {
    this.#host = host;
    this.#video = video;
    this.#root = root;
    this.#words = words(host.lang);
    const button = (/** @type {string} */ name, /** @type {() => void} */ onclick, /** @type {Node[]} */ ...inside) =>
      h('button', { type: 'button', class: name, part: `button ${name}`, onclick }, ...inside);

    this.spin = h('div', { class: 'spin', part: 'spinner' });
    this.text = h('p', {});
    this.wrong = h('p', {});
    // For screen readers.
    this.heard = h('span', { class: 'heard' });
    this.heading = h('div', { class: 'title', part: 'title' });
    this.again = button('again', () => this.#host.load());
    this.note = h('div', { class: 'note', part: 'message' }, this.spin,
      h('div', { role: 'status' }, this.text, this.heard), h('div', { role: 'alert' }, this.wrong), this.again);
    this.big = button('big', () => void this.toggle(), icon(ICON.play));
    this.sound = button('sound', () => this.#unmute(), icon(ICON.muted), h('span', {}));
    this.table = h('dl', { class: 'stats', part: 'stats', tabindex: '0', role: 'group', hidden: true });
    this.play = button('play', () => void this.toggle(), icon(ICON.play));
    this.mute = button('mute', () => void (this.#host.muted = !this.#host.muted), icon(ICON.sound));
    this.volume = h('input', {
      type: 'range', min: '0', max: '1', step: '0.05', part: 'volume',
      oninput: () => this.setVolume(Number(this.volume.value)),
    });
    this.badge = button('badge', () => void this.#host.goLive(), h('span', {}));
    this.watching = h('span', { class: 'viewers', part: 'viewers', role: 'img', hidden: true }, icon(ICON.eye), h('span', {}));
    this.cc = button('captions', () => this.toggleCaptions(), icon(ICON.captions));
    this.info = button('info', () => this.showStats(this.table.hidden === true), icon(ICON.stats));
    this.pip = button('pip', () => void togglePictureInPicture(this.#host), icon(ICON.pip));
    this.full = button('full', () => void toggleFullscreen(this.#host, this.#video), icon(ICON.full));
    this.bar = h('div', { class: 'bar', part: 'controls', role: 'group' },
      this.play, this.mute, this.volume, this.badge, this.watching, h('span', { class: 'gap' }), this.cc, this.info, this.pip, this.full);
    // The stage gets the focus after a click on the video. It is not a tab stop.
    this.stage = h('div', { class: 'stage', tabindex: '-1', onclick: () => this.#tap(), ondblclick: () => void toggleFullscreen(this.#host, this.#video) },
      video);
    this.frame = h('div', { class: 'frame idle', part: 'frame', role: 'group' },
      this.stage, this.note, this.big, this.heading, this.sound, this.table, this.bar);
    root.append(this.frame);

    root.addEventListener('keydown', (event) => press(this, host, video, /** @type {KeyboardEvent} */ (event)));
    for (const type of ['pointermove', 'pointerdown', 'focusin', 'keydown']) {
      root.addEventListener(type, (event) => {
        this.#pointer = /** @type {PointerEvent} */ (event).pointerType === 'touch';
        this.#wake();
      });
    }
    root.addEventListener('focusout', () => this.#wake());
    host.addEventListener('pointerleave', () => this.#wake(300));
    host.addEventListener('fullscreenchange', () => this.render());
    video.addEventListener('volumechange', () => this.render());
    this.settle();
    this.translate();
  }

  /** Adds the style sheets of the element's document. Call it again when the element has moved to another document. */
  settle() {
    adopt(this.#root, CSS_TEXT, ...this.#styles);
    this.#sized?.disconnect();
    const { defaultView: view } = this.#host.ownerDocument;
    if (!view) return;
    this.#sized = new view.ResizeObserver(() => this.frame.classList.toggle('small', this.#host.clientWidth < 420));
    this.#sized.observe(this.#host);
  }

  /** Sets all texts. Call it again when the element's `lang` changes. */
  translate() {
    const { lang } = this.#host;
    this.#words = words(lang);
    void fetched(lang)?.then((there) => there && this.translate());
    const name = (/** @type {Element} */ node, /** @type {string} */ word, keys = '') => {
      node.setAttribute('aria-label', this.#words(word));
      if (node instanceof HTMLButtonElement) node.title = this.#words(word) + (keys && ` (${keys})`);
      if (keys) node.setAttribute('aria-keyshortcuts', keys.toUpperCase());
    };
    this.frame.setAttribute('aria-label', this.#host.title || this.#words('player'));
    this.heading.textContent = this.#host.title;
    name(this.cc, 'captions', 'c');
    name(this.big, 'play');
    name(this.volume, 'volume');
    name(this.info, 'stats', 's');
    name(this.table, 'stats');
    name(this.pip, 'pip');
    this.again.textContent = this.#words('retry');
    /** @type {Element} */ (this.sound.lastChild).textContent = this.#words('sound');
    this.name = name;
    this.render();
  }

  /** @type {(node: Element, word: string, keys?: string) => void} */
  name = () => {};

  /** The timeline of a recording or a live window. @type {import('./timeline.js').Timeline | null} */
  line = null;
  #lines = false;
  /** Style sheets of parts that were fetched later. @type {string[]} */ #styles = [];

  /** Fetches the timeline when the stream may need one. */
  #timeline() {
    const { duration } = this.#video;
    const worth = duration > 0 && (duration < Infinity || /hls|native/.test(this.#host.stats?.protocol ?? '') || this.#host.stats?.behind);
    this.line?.render(this.#words);
    if (!worth || this.#lines || !this.#host.controls) return;
    this.#lines = true;
    import('./timeline.js').then(({ Timeline, LINE_CSS }) => {
      this.#styles = [LINE_CSS];
      const sheet = newSheet(this.#host.ownerDocument, LINE_CSS);
      if (sheet) this.#root.adoptedStyleSheets.push(sheet);
      this.line = new Timeline(this.#host, this.#video, this.#words);
      this.bar.prepend(this.line.row);
      this.render();
    }, () => { this.#lines = false; });
  }

  /** Shows the current state of the element and its video. */
  render() {
    const host = this.#host;
    const video = this.#video;
    const { state } = host;
    const controls = host.controls;
    const busy = state === 'connecting' || state === 'waiting' || state === 'reconnecting' || state === 'buffering';
    const active = busy || state === 'live';
    this.frame.dataset.state = state;
    this.frame.classList.toggle('idle', state === 'idle');
    // A poster covers the stage as video does.
    this.frame.classList.toggle('seen', video.videoWidth > 0 || video.poster !== '');
    this.spin.hidden = !busy;
    const error = host.error;
    const why = state === 'reconnecting' || state === 'waiting' ? host.reason : '';
    const said = state === 'waiting' && host.offline ? host.offline : `${why} ${this.#words(state)}`.trim();
    const text = error ? '' : busy || state === 'ended' ? said : this.#notice;
    tell(this.text, text);
    tell(this.wrong, error?.message ?? '');
    // Do not announce each short wait for data. For a file, the button shows the state.
    if (state !== 'live' && state !== 'buffering') tell(this.heard, '');
    else if (state === 'live' && video.duration === Infinity) tell(this.heard, this.#words('live'));
    this.again.hidden = !error && state !== 'ended';
    this.frame.classList.toggle('titled', controls && host.title !== '');
    const [track] = video.textTracks;
    this.cc.hidden = !track;
    this.cc.setAttribute('aria-pressed', String(track?.mode === 'showing'));
    this.big.hidden = !(state === 'idle' || (state === 'paused' && !video.videoWidth)) || !host.url;
    this.sound.hidden = !host.soundBlocked;
    this.bar.hidden = !controls;
    this.play.replaceChildren(icon(active ? ICON.pause : ICON.play));
    this.name(this.play, active ? 'pause' : 'play', 'space');
    const silent = video.muted || video.volume === 0;
    this.mute.replaceChildren(icon(silent ? ICON.muted : ICON.sound));
    this.name(this.mute, silent ? 'unmute' : 'mute', 'm');
    this.volume.value = String(video.muted ? 0 : video.volume);
    const live = host.live;
    // Hidden until a stream has started, and for files.
    this.badge.hidden = video.duration !== Infinity || (!active && state !== 'paused');
    this.badge.classList.toggle('on', live);
    this.name(this.badge, live ? 'live' : 'goLive', 'l');
    /** @type {Element} */ (this.badge.lastChild).textContent = this.#words(live ? 'live' : 'goLive');
    const page = host.ownerDocument;
    // An iframe without `allow` can use neither.
    this.pip.hidden = !(page.pictureInPictureEnabled && 'requestPictureInPicture' in video);
    this.full.hidden = 'requestFullscreen' in host ? !page.fullscreenEnabled : !('webkitEnterFullscreen' in video);
    const fullscreen = page.fullscreenElement === host;
    this.full.replaceChildren(icon(fullscreen ? ICON.small : ICON.full));
    this.name(this.full, fullscreen ? 'exitFullscreen' : 'fullscreen', 'f');
    if (!this.table.hidden) this.#fill();
    this.#listen(state === 'live' && !video.videoWidth && video.readyState > 2);
    this.#timeline();
    this.#wake();
  }

  /** Shows that audio plays without video. @param {boolean} bare */
  #listen(bare) {
    if (bare === this.#bare) return;
    this.#bare = bare;
    this.#meter?.close();
    this.#meter = null;
    if (!bare) return;
    // With WebRTC the video may come after the audio.
    setTimeout(async () => {
      const { Meter } = await import('./meter.js');
      if (this.#bare && !this.#meter) this.#meter = new Meter(this.#host, this.#video, this.stage);
    }, 700);
  }

  /** Shows a text for some seconds. @param {string} text */
  notice(text) {
    this.#notice = text;
    setTimeout(() => {
      this.#notice = '';
      this.render();
    }, 6000);
    this.render();
  }

  /** @param {number} count less than 0: unknown */
  showViewers(count) {
    this.watching.hidden = count < 0;
    /** @type {Element} */ (this.watching.lastChild).textContent = String(count);
    this.watching.setAttribute('aria-label', this.#words('viewers', String(count)));
  }

  toggleCaptions() {
    const [track] = this.#video.textTracks;
    if (track) track.mode = track.mode === 'showing' ? 'hidden' : 'showing';
    this.render();
  }

  /** @param {boolean} on whether the statistics are shown over the video */
  showStats(on) {
    this.table.hidden = !on;
    this.info.setAttribute('aria-pressed', String(on));
    this.render();
  }

  /** Toggles between play and pause. */
  toggle() {
    const { state } = this.#host;
    if (state === 'idle' || state === 'paused' || state === 'ended' || state === 'error') {
      // The element shows the error, and `error` has it.
      return this.#host.play().catch(() => {});
    }
    this.#host.pause();
    return undefined;
  }

  #fill() {
    const cells = rows(this.#host.stats, this.#words).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]);
    this.table.replaceChildren(...cells);
  }

  #tap() {
    if (this.#host.soundBlocked) return this.#unmute();
    if (!this.#host.controls) return undefined;
    // The first tap of a finger shows the controls, as in other players on phones.
    if (this.#pointer && this.frame.classList.contains('quiet')) return this.#wake();
    return this.#pointer && this.#host.state === 'live' ? this.#wake() : this.toggle();
  }

  #unmute() {
    this.#host.muted = false;
    // The button disappears, so the focus moves to the stage, and the keys still work.
    this.stage.focus({ preventScroll: true });
    void this.#host.play().catch(() => {});
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    const value = Math.min(1, Math.max(0, Math.round(volume * 100) / 100));
    this.#host.volume = value;
    this.#host.muted = value === 0;
  }

  /** Shows the controls. They hide after a while if the stream plays and no control has the focus. */
  #wake(after = HIDE_AFTER) {
    this.frame.classList.remove('quiet');
    clearTimeout(this.#timer);
    if (this.#host.state !== 'live') return;
    this.#timer = setTimeout(() => {
      const focused = this.#root.activeElement;
      if (focused?.matches(':focus-visible') && focused !== this.stage) return;
      this.frame.classList.add('quiet');
    }, after);
  }
}
