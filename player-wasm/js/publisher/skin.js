// The publisher's controls: they call the element's public methods and show its state.

import { h, icon, tell } from '../ui/dom.js';
import { duration, figures } from './figures.js';
import { Menus } from './menus.js';
import { PUBLISHER_CSS } from './style.js';
import { speech } from './texts.js';
import { adopt, CSS_TEXT } from '../ui/style.js';

const SHAPE = {
  dot: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z',
  stop: 'M6 6h12v12H6z',
  microphone: 'M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zm-6-3h2a4 4 0 0 0 8 0h2a6 6 0 0 1-5 5.9V21h-2v-3.1A6 6 0 0 1 6 12z',
  silent: 'M9 6a3 3 0 0 1 6 0v5.2L9 5.9zM6 12h2a4 4 0 0 0 5.6 3.7l1.5 1.5a6 6 0 0 1-2.1.7V21h-2v-3.1A6 6 0 0 1 6 12zM4.4 3 21 19.6 19.6 21 3 4.4z',
  camera: 'M4 6h11a1 1 0 0 1 1 1v3l4-2.5v9L16 14v3a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1z',
  dark: 'M7.9 6H15a1 1 0 0 1 1 1v3l4-2.5v9l-4-2.4zM3.5 6.2 15.3 18H4a1 1 0 0 1-1-1V7a1 1 0 0 1 .5-.8zM4.4 3 21 19.6 19.6 21 3 4.4z',
  settings: 'M4 7h9.2a3 3 0 0 1 5.6 0H20v2h-1.2a3 3 0 0 1-5.6 0H4zm0 8h1.2a3 3 0 0 1 5.6 0H20v2h-9.2a3 3 0 0 1-5.6 0H4z',
  stats: 'M5 12h3v7H5zm5.5-7h3v14h-3zM16 9h3v10h-3z',
};

export class PublisherSkin {
  #host;
  #root;
  /** @type {ReturnType<typeof speech>} */
  #say;
  #notice = '';
  /** @type {ResizeObserver | undefined} */
  #sized;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {import('../types/index.js').SrsPublisherElement} host
   * @param {HTMLVideoElement} video
   * @param {ShadowRoot} root
   */
  constructor(host, video, root) {
    this.#host = host;
    this.#root = root;
    this.#say = speech(host.lang);
    const button = (/** @type {string} */ name, /** @type {() => void} */ onclick, /** @type {(Node | string)[]} */ ...inside) =>
      h('button', { type: 'button', class: name, part: `button ${name}`, onclick }, ...inside);
    // The element shows the error, and `error` has it.
    const start = () => void host.start().catch(() => {});

    this.spin = h('div', { class: 'spin', part: 'spinner' });
    this.text = h('p', {});
    this.problem = h('p', {});
    // For screen readers only.
    this.spoken = h('span', { class: 'heard' });
    this.link = h('a', { part: 'link' });
    this.field = h('input', { type: 'password', autocomplete: 'off', required: true });
    this.label = h('span', {});
    this.send = h('button', { part: 'button send' });
    this.secret = h('form', {
      part: 'secret', hidden: true,
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        host.token = this.field.value;
        start();
      },
    }, h('label', {}, this.label, this.field), this.send);
    this.again = button('again', start);
    this.note = h('div', { class: 'note', part: 'message' }, this.spin,
      h('div', { role: 'status' }, this.text, this.spoken), h('div', { role: 'alert' }, this.problem), this.link, this.secret, this.again);
    this.big = button('start', start, icon(SHAPE.dot), h('span', {}));
    this.badge = h('div', { class: 'badge on', part: 'badge' }, h('b', {}), h('span', {}));
    this.rows = h('dl', {});
    this.table = h('div', { class: 'stats', part: 'stats', tabindex: '0', role: 'group', hidden: true }, this.rows);
    this.menus = new Menus(host);
    this.stop = button('stop', () => void host.stop(), icon(SHAPE.stop), h('span', {}));
    this.mute = button('mute', () => { host.muted = !host.muted; }, icon(SHAPE.microphone));
    this.fillBar = h('i', {});
    this.level = h('div', { class: 'level', part: 'level', role: 'meter', 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.fillBar);
    this.dark = button('camera', () => { host.cameraOff = !host.cameraOff; }, icon(SHAPE.camera));
    this.info = button('info', () => host.toggleAttribute('stats'), icon(SHAPE.stats));
    this.gear = button('settings', () => this.#toggle(this.menus.panel.hidden === true), icon(SHAPE.settings));
    this.bar = h('div', { class: 'bar', part: 'controls', role: 'group' },
      this.stop, this.mute, this.level, this.dark, h('span', { class: 'gap' }), this.info, this.gear);
    this.silhouette = h('div', { class: 'sound-only' }, icon(SHAPE.microphone));
    this.frame = h('div', { class: 'frame', part: 'frame', role: 'group' },
      h('div', { class: 'stage' }, video), this.silhouette, this.note, this.big, this.badge, this.table, this.bar, this.menus.panel);
    root.append(this.frame);
    root.addEventListener('keydown', (event) => this.#key(/** @type {KeyboardEvent} */ (event)));
    this.settle();
    this.translate();
  }

  /** Adds the style sheets of the element's document. Call it again when the element has moved to another document. */
  settle() {
    adopt(this.#root, CSS_TEXT, PUBLISHER_CSS);
    this.#sized?.disconnect();
    const { defaultView: view } = this.#host.ownerDocument;
    if (!view) return;
    this.#sized = new view.ResizeObserver(() => this.frame.classList.toggle('small', this.#host.clientWidth < 480));
    this.#sized.observe(this.#host);
  }

  /** Writes the texts. Call it again when the element's `lang` changes. */
  translate() {
    this.#say = speech(this.#host.lang);
    const say = this.#say;
    this.frame.setAttribute('aria-label', say('publisher'));
    this.table.setAttribute('aria-label', say('stats'));
    this.menus.panel.setAttribute('aria-label', say('settings'));
    this.level.setAttribute('aria-label', say('level'));
    /** @type {Element} */ (this.big.lastChild).textContent = say('start');
    /** @type {Element} */ (this.stop.lastChild).textContent = say('stop');
    /** @type {Element} */ (this.badge.firstChild).textContent = say('live');
    this.label.textContent = say('secret');
    this.send.textContent = say('start');
    this.again.textContent = say('again');
    this.link.textContent = say('open');
    this.render();
  }

  /** Shows the current state of the element. */
  render() {
    const host = this.#host;
    const say = this.#say;
    const { state, error } = host;
    const busy = state === 'requesting' || state === 'connecting' || state === 'reconnecting';
    const running = busy || state === 'live';
    const captured = !!host.stream?.getTracks().length;
    const hasVideo = captured && !!host.stream?.getVideoTracks().length;
    this.frame.dataset.state = state;
    this.frame.classList.toggle('seen', hasVideo);
    this.frame.classList.toggle('mirror', host.mirrored);
    this.silhouette.toggleAttribute('hidden', !captured || hasVideo);
    this.spin.hidden = !busy;
    const insecure = globalThis.isSecureContext === false;
    this.link.hidden = !insecure;
    if (insecure) this.link.href = host.secureAddress;
    const code = error?.code ?? '';
    const text = error ? '' : insecure ? say('insecure', host.secureAddress) : this.#words(state, host.reason);
    tell(this.text, text || (error ? '' : this.#notice));
    tell(this.problem, error?.message ?? '');
    tell(this.spoken, state === 'live' ? say('onAir') : '');
    this.note.classList.toggle('warn', !error && !text && !!this.#notice);
    this.secret.hidden = code !== 'forbidden' || typeof host.token === 'function';
    this.again.hidden = !error || !this.secret.hidden || code === 'insecure' || code === 'bad-url';
    // The focus moves to the button that replaces the focused button.
    const pressed = this.#root.activeElement;
    this.big.hidden = running || insecure || !host.url || !!error;
    this.note.classList.toggle('below', !this.big.hidden);
    this.badge.hidden = state !== 'live' && state !== 'reconnecting';
    this.badge.classList.toggle('on', state === 'live');
    const { stats } = host;
    const about = [duration(host.elapsed), stats ? `${(stats.bitrate / 1e6).toFixed(1)} Mb/s` : ''].filter(Boolean).join(' · ');
    /** @type {Element} */ (this.badge.lastChild).textContent = about;
    this.stop.hidden = !running;
    if (running && (pressed === this.big || pressed === this.again || this.secret.contains(pressed))) this.stop.focus({ preventScroll: true });
    if (!running && pressed === this.stop) (this.big.hidden ? this.again : this.big).focus({ preventScroll: true });
    this.level.hidden = !captured;
    this.dark.hidden = host.source === 'audio';
    this.#state(this.mute, host.muted, host.muted ? 'unmuteMicrophone' : 'muteMicrophone', 'm', host.muted ? SHAPE.silent : SHAPE.microphone);
    this.#state(this.dark, host.cameraOff, host.cameraOff ? 'cameraOn' : 'cameraOff', 'c', host.cameraOff ? SHAPE.dark : SHAPE.camera);
    this.#state(this.info, undefined, 'stats', 's');
    this.#state(this.gear, undefined, 'settings');
    this.info.setAttribute('aria-pressed', String(host.hasAttribute('stats')));
    this.gear.setAttribute('aria-expanded', String(!this.menus.panel.hidden));
    this.table.hidden = !host.hasAttribute('stats') || !stats;
    if (!this.table.hidden) {
      this.rows.replaceChildren(...figures(stats, say).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
    }
    if (!this.menus.panel.hidden) this.menus.render(say);
  }

  /** Reads the list of devices again. */
  async devices() {
    await this.menus.look();
    this.render();
  }

  /** @param {number} level 0 to 1 */
  showLevel(level) {
    this.fillBar.style.transform = `scaleX(${level.toFixed(3)})`;
    this.level.setAttribute('aria-valuenow', String(Math.round(level * 100)));
  }

  /** Shows a text for some seconds. @param {string} text */
  notice(text) {
    this.#notice = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#notice = '';
      this.render();
    }, 8000);
    this.render();
  }

  /** @param {import('../types/index.js').PublisherState} state @param {string} reason */
  #words(state, reason) {
    const host = this.#host;
    const say = this.#say;
    if (state === 'live') return '';
    if (state === 'idle') return host.stream ? '' : say({ camera: 'hint', screen: 'hintScreen', audio: 'hintAudio' }[host.source] ?? 'hint');
    return `${reason} ${say(state)}`.trim();
  }

  /**
   * @param {HTMLButtonElement} node
   * @param {boolean | undefined} off
   * @param {string} word
   * @param {string} [key]
   * @param {string} [shape]
   */
  #state(node, off, word, key = '', shape = '') {
    const text = this.#say(word);
    node.setAttribute('aria-label', text);
    node.title = text + (key && ` (${key})`);
    if (key) node.setAttribute('aria-keyshortcuts', key.toUpperCase());
    node.classList.toggle('off', off === true);
    if (shape && node.dataset.word !== word) node.replaceChildren(icon(shape));
    node.dataset.word = word;
  }

  /** @param {boolean} open */
  #toggle(open) {
    this.menus.panel.hidden = !open;
    this.render();
    if (open) this.menus.panel.querySelector('select')?.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Escape' && !this.menus.panel.hidden) {
      this.#toggle(false);
      this.gear.focus();
      return;
    }
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    const host = this.#host;
    /** @type {Record<string, () => void>} */
    const keys = {
      m: () => { host.muted = !host.muted; },
      c: () => { host.cameraOff = !host.cameraOff; },
      s: () => { host.toggleAttribute('stats'); },
    };
    const action = keys[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
