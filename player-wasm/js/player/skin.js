// The controls: they call the element's public methods and show what the media element says.

import { h, icon, tell } from '../ui/dom.js';
import { fetched, words } from './texts.js';
import { newSheet } from '../ui/sheet.js';
import { adopt, CSS_TEXT } from '../ui/style.js';
import { rows } from './stats-view.js';

const ICON = {
  play: 'M8 5v14l11-7z',
  pause: 'M7 5h4v14H7zm6 0h4v14h-4z',
  sound: 'M4 9v6h4l5 5V4L8 9zm11.5 3A4 4 0 0 0 13.5 8.5v7a4 4 0 0 0 2-3.5zM13.5 4v2a6.5 6.5 0 0 1 0 12v2a8.5 8.5 0 0 0 0-16z',
  muted: 'M4 9v6h4l5 5V4L8 9zm17.4 1.4L20 9l-2 2-2-2-1.4 1.4 2 2-2 2L16 15.8l2-2 2 2 1.4-1.4-2-2z',
  full: 'M5 5h6v2H7v4H5zm8 0h6v6h-2V7h-4zM5 13h2v4h4v2H5zm12 0h2v6h-6v-2h4z',
  small: 'M9 5h2v6H5V9h4zm4 0h2v4h4v2h-6zM5 13h6v6H9v-4H5zm8 0h6v2h-4v4h-2z',
  pip: 'M3 5h18v14H3zm2 2v10h14V7zm6 4h7v5h-7z',
  captions: 'M3 5h18v14H3zm2 2v10h14V7zm6 3v1.5H8v1h3V14H6.5v-4zm6.5 0v1.5H14v1h3.5V14h-5v-4z',
  eye: 'M12 6c4.5 0 8 3.2 9.5 6-1.5 2.8-5 6-9.5 6s-8-3.2-9.5-6C4 9.2 7.5 6 12 6zm0 2.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  stats: 'M5 12h3v7H5zm5.5-7h3v14h-3zM16 9h3v10h-3z',
};

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
  /** Whether it plays audio without video, and what shows that. */
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
    // Said to those who do not see the picture.
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
      oninput: () => this.#setVolume(Number(this.volume.value)),
    });
    this.badge = button('badge', () => void this.#host.goLive(), h('span', {}));
    this.watching = h('span', { class: 'viewers', part: 'viewers', role: 'img', hidden: true }, icon(ICON.eye), h('span', {}));
    this.cc = button('captions', () => this.#captions(), icon(ICON.captions));
    this.info = button('info', () => this.showStats(this.table.hidden === true), icon(ICON.stats));
    this.pip = button('pip', () => void this.#pictureInPicture(), icon(ICON.pip));
    this.full = button('full', () => void this.#fullscreen(), icon(ICON.full));
    this.bar = h('div', { class: 'bar', part: 'controls', role: 'group' },
      this.play, this.mute, this.volume, this.badge, this.watching, h('span', { class: 'gap' }), this.cc, this.info, this.pip, this.full);
    // The stage takes the keyboard after a click on the picture; it is no stop of its own.
    this.stage = h('div', { class: 'stage', tabindex: '-1', onclick: () => this.#tap(), ondblclick: () => void this.#fullscreen() },
      video);
    this.frame = h('div', { class: 'frame idle', part: 'frame', role: 'group' },
      this.stage, this.note, this.big, this.heading, this.sound, this.table, this.bar);
    root.append(this.frame);

    root.addEventListener('keydown', (event) => this.#key(/** @type {KeyboardEvent} */ (event)));
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

  /** Styles the shadow tree for the document where it is; again when the element has moved to another one. */
  settle() {
    adopt(this.#root, CSS_TEXT, ...this.#styles);
    this.#sized?.disconnect();
    const { defaultView: view } = this.#host.ownerDocument;
    if (!view) return;
    this.#sized = new view.ResizeObserver(() => this.frame.classList.toggle('small', this.#host.clientWidth < 420));
    this.#sized.observe(this.#host);
  }

  /** Puts the words in; again when the element's `lang` changes. */
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

  /** Where one is in a recording or a live window. @type {import('./timeline.js').Timeline | null} */
  line = null;
  #lines = false;
  /** Styles of what was fetched later. @type {string[]} */ #styles = [];

  /** The timeline is fetched for what may have one. */
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

  /** Shows what the element and its video say now. */
  render() {
    const host = this.#host;
    const video = this.#video;
    const { state } = host;
    const controls = host.controls;
    const busy = state === 'connecting' || state === 'waiting' || state === 'reconnecting' || state === 'buffering';
    const active = busy || state === 'live';
    this.frame.dataset.state = state;
    this.frame.classList.toggle('idle', state === 'idle');
    // A poster covers the stage as a picture does.
    this.frame.classList.toggle('seen', video.videoWidth > 0 || video.poster !== '');
    this.spin.hidden = !busy;
    const error = host.error;
    const why = state === 'reconnecting' || state === 'waiting' ? host.reason : '';
    const said = state === 'waiting' && host.offline ? host.offline : `${why} ${this.#words(state)}`.trim();
    const text = error ? '' : busy || state === 'ended' ? said : this.#notice;
    tell(this.text, text);
    tell(this.wrong, error?.message ?? '');
    // Not after each short wait for data; of a file the button says it.
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
    // Nothing has come yet, or a file, which has an end and no live.
    this.badge.hidden = video.duration !== Infinity || (!active && state !== 'paused');
    this.badge.classList.toggle('on', live);
    this.name(this.badge, live ? 'live' : 'goLive', 'l');
    /** @type {Element} */ (this.badge.lastChild).textContent = this.#words(live ? 'live' : 'goLive');
    const page = host.ownerDocument;
    // An iframe without `allow` has neither; an iPhone shows only the video itself full screen.
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

  /** Shows that audio plays where there is no video. @param {boolean} bare */
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

  /** Says something for some seconds. @param {string} text */
  notice(text) {
    this.#notice = text;
    setTimeout(() => {
      this.#notice = '';
      this.render();
    }, 6000);
    this.render();
  }

  /** @param {number} count less than 0: nobody tells */
  showViewers(count) {
    this.watching.hidden = count < 0;
    /** @type {Element} */ (this.watching.lastChild).textContent = String(count);
    this.watching.setAttribute('aria-label', this.#words('viewers', String(count)));
  }

  #captions() {
    const [track] = this.#video.textTracks;
    if (track) track.mode = track.mode === 'showing' ? 'hidden' : 'showing';
    this.render();
  }

  /** @param {boolean} on whether the statistics lie over the picture */
  showStats(on) {
    this.table.hidden = !on;
    this.info.setAttribute('aria-pressed', String(on));
    this.render();
  }

  /** Play when it stands, pause when it runs or tries to. */
  toggle() {
    const { state } = this.#host;
    if (state === 'idle' || state === 'paused' || state === 'ended' || state === 'error') {
      // What went wrong stands in `error` and on the screen.
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
    // A finger first brings the controls, as every phone player does.
    if (this.#pointer && this.frame.classList.contains('quiet')) return this.#wake();
    return this.#pointer && this.#host.state === 'live' ? this.#wake() : this.toggle();
  }

  #unmute() {
    this.#host.muted = false;
    // The button goes away; the keys stay with the player.
    this.stage.focus({ preventScroll: true });
    void this.#host.play().catch(() => {});
  }

  /** @param {number} volume 0 to 1 */
  #setVolume(volume) {
    const value = Math.min(1, Math.max(0, Math.round(volume * 100) / 100));
    this.#host.volume = value;
    this.#host.muted = value === 0;
  }

  #pictureInPicture() {
    const page = this.#host.ownerDocument;
    const change = page.pictureInPictureElement ? page.exitPictureInPicture() : this.#host.requestPictureInPicture();
    return change.catch(() => {});
  }

  #fullscreen() {
    const page = this.#host.ownerDocument;
    if (page.fullscreenElement === this.#host) return page.exitFullscreen();
    if ('requestFullscreen' in this.#host) return this.#host.requestFullscreen().catch(() => {});
    return this.#video.webkitEnterFullscreen?.();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#host.controls || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const onButton = event.target instanceof HTMLButtonElement;
    const onLine = event.target === this.line?.bar;
    const volume = this.#video.muted ? 0 : this.#video.volume;
    /** @type {Record<string, () => unknown>} */
    const keys = {
      // Space and Enter on a button press it; elsewhere space plays.
      ' ': () => this.toggle(),
      m: () => void (this.#host.muted = !this.#host.muted),
      f: () => this.#fullscreen(),
      l: () => this.#host.goLive(),
      c: () => this.#captions(),
      s: () => this.showStats(this.table.hidden === true),
      ArrowUp: () => (onLine ? void (this.#host.currentTime += 5) : this.#setVolume(volume + 0.05)),
      ArrowDown: () => (onLine ? void (this.#host.currentTime -= 5) : this.#setVolume(volume - 0.05)),
      ArrowLeft: () => void (this.#host.currentTime -= 5),
      ArrowRight: () => void (this.#host.currentTime += 5),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || (event.key === ' ' && onButton) || (event.target === this.volume && event.key.startsWith('Arrow'))) return;
    event.preventDefault();
    void action();
  }

  /** Shows the controls, and hides them after a while when pictures move and nobody needs them. */
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
