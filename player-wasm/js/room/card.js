// The card in the middle: before joining, while waiting, and after the end.

import { h, icon, tell } from '../ui/dom.js';
import { Devices } from './devices.js';
import { SHAPE } from './icons.js';

/** @typedef {(word: string, detail?: string) => string} Say */

export class Card {
  #session;
  #video = h('video', { playsinline: true, tabindex: '-1', 'aria-hidden': 'true' });
  #heading = h('h2', {});
  #text = h('p', {});
  #hint = h('p', { class: 'hint' });
  #label = h('span', {});
  #secretLabel = h('span', {});
  #join = h('button', { class: 'primary', part: 'button join' });
  #off = h('p', { class: 'dark' });
  #open;
  #mute;
  #dark;
  #secret;
  devices;
  name = h('input', { type: 'text', maxlength: '40', autocomplete: 'nickname', required: true, part: 'name' });
  secret = h('input', { type: 'password', autocomplete: 'off' });

  /**
   * @param {import('./session.js').RoomSession} session
   * @param {{ join: () => void, preview: () => void }} act
   */
  constructor(session, act) {
    this.#session = session;
    const { publishing } = session;
    this.#video.muted = true;
    this.devices = new Devices(publishing);
    const button = (/** @type {string} */ name, /** @type {string} */ shape, /** @type {() => void} */ onclick) =>
      h('button', { type: 'button', class: name, part: `button ${name}`, onclick }, icon(shape));
    this.#mute = button('microphone', SHAPE.microphone, () => publishing.set({ muted: !publishing.muted }));
    this.#dark = button('camera', SHAPE.camera, () => publishing.set({ cameraOff: !publishing.options.cameraOff }));
    this.#open = h('button', { type: 'button', class: 'open', onclick: act.preview });
    this.#secret = h('label', { hidden: true }, this.#secretLabel, this.secret);
    this.preview = h('div', { class: 'preview', part: 'preview' }, this.#video, this.#off, this.#open, h('div', { class: 'toggles' }, this.#mute, this.#dark));
    this.form = h('form', {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        act.join();
      },
    }, this.#heading, this.#text, h('label', {}, this.#label, this.name), this.#secret, this.devices.node, this.#join, this.#hint);
    this.node = h('div', { class: 'card', part: 'card' }, this.preview, this.form);
  }

  /**
   * @param {object} shown
   * @param {string} shown.title of the room
   * @param {string} shown.state of the element
   * @param {string} shown.code of the refusal
   * @param {boolean} shown.publishes this participant is to have a seat
   * @param {string} shown.secure the page's address over HTTPS, if this page gets no camera
   * @param {Say} say
   */
  render({ title, state, code, publishes, secure }, say) {
    const { publishing } = this.#session;
    const { stream } = publishing;
    const camera = stream?.getVideoTracks()[0] ?? null;
    const asks = state === 'idle' || state === 'closed' || state === 'refused';
    const before = /** @type {MediaStream | null} */ (this.#video.srcObject)?.getVideoTracks()[0] ?? null;
    if (before !== camera) {
      this.#video.srcObject = camera && new MediaStream([camera]);
      this.#video.play().catch(() => {});
    }
    this.#heading.textContent = state === 'waiting' ? say('waitTitle') : state === 'refused' ? say('refusedTitle') : state === 'closed' ? say('leftTitle') : title;
    tell(this.#text, state === 'waiting' ? say('waitText') : state === 'refused' ? say(code) || say('refused') : state === 'closed' ? say(code) || say('leftText') : asks ? '' : say('joining'));
    this.preview.hidden = !publishes || !asks;
    this.preview.classList.toggle('mirror', publishing.mirrored);
    this.preview.classList.toggle('seen', camera !== null && !publishing.options.cameraOff);
    this.#off.textContent = publishing.options.cameraOff || stream && !camera ? say('noPicture') : '';
    this.#open.textContent = say('preview');
    this.#open.hidden = stream !== null || secure !== '' || publishing.options.cameraOff;
    const toggle = (/** @type {HTMLButtonElement} */ node, /** @type {boolean} */ off, /** @type {string} */ word, /** @type {string} */ shape) => {
      node.setAttribute('aria-label', node.title = say(word));
      node.classList.toggle('off', off);
      if (node.dataset.shape !== shape) node.replaceChildren(icon(shape));
      node.dataset.shape = shape;
    };
    toggle(this.#mute, publishing.muted, publishing.muted ? 'unmute' : 'mute', publishing.muted ? SHAPE.silent : SHAPE.microphone);
    const { cameraOff } = publishing.options;
    toggle(this.#dark, cameraOff, cameraOff ? 'cameraOn' : 'cameraOff', cameraOff ? SHAPE.dark : SHAPE.camera);
    this.#label.textContent = say('yourName');
    /** @type {HTMLElement} */ (this.name.parentElement).hidden = !asks;
    this.name.required = asks;
    this.#secret.hidden = !asks || code !== 'forbidden';
    this.#secretLabel.textContent = say('secret');
    this.devices.node.hidden = this.preview.hidden || stream === null;
    this.#join.hidden = !asks;
    this.#join.textContent = say(state === 'idle' ? 'join' : 'joinAgain');
    tell(this.#hint, !asks ? '' : secure && publishes ? say('insecure', secure) : publishes ? say(stream ? 'hintReady' : 'hint') : say('hintAudience'));
  }
}
