// The buttons below the stage.

import { h, icon } from '../ui/dom.js';
import { SHAPE } from './icons.js';

/** @typedef {'people' | 'chat' | 'invite' | 'live' | 'settings'} PanelName */

/** Keys, by the button that they press. */
const KEYS = { microphone: 'm', camera: 'c', share: 's', hand: 'h', layout: 'l', chat: 't', people: 'p' };

export class Bar {
  #session;
  /** @type {Record<string, HTMLButtonElement>} */
  buttons = {};

  /**
   * @param {import('./session.js').RoomSession} session
   * @param {object} act
   * @param {(name: PanelName) => void} act.panel
   * @param {() => void} act.layout
   * @param {() => void} act.leave
   */
  constructor(session, act) {
    this.#session = session;
    const { publishing } = session;
    const button = (/** @type {string} */ name, /** @type {string} */ shape, /** @type {() => void} */ onclick) => {
      const key = KEYS[/** @type {keyof typeof KEYS} */ (name)];
      return this.buttons[name] = h('button', {
        type: 'button', class: name, part: `button ${name}`, onclick, ...(key && { 'aria-keyshortcuts': key.toUpperCase() }),
      }, icon(shape));
    };
    this.count = h('span', { class: 'count', 'aria-hidden': 'true' });
    this.unread = h('span', { class: 'count unread', 'aria-hidden': 'true' });
    button('people', SHAPE.people, () => act.panel('people')).append(this.count);
    button('chat', SHAPE.chat, () => act.panel('chat')).append(this.unread);
    this.node = h('div', { class: 'bar', part: 'controls', role: 'group' },
      button('microphone', SHAPE.microphone, () => session.mute({ muted: !publishing.muted })),
      button('camera', SHAPE.camera, () => session.mute({ cameraOff: !publishing.options.cameraOff })),
      button('turn', SHAPE.turn, () => void this.#turn()),
      button('share', SHAPE.screen, () => void (publishing.screen ? publishing.unshare() : publishing.share())),
      button('hand', SHAPE.hand, () => this.#hand()),
      h('span', { class: 'gap' }),
      button('layout', SHAPE.layout, act.layout),
      /** @type {HTMLButtonElement} */ (this.buttons.chat), /** @type {HTMLButtonElement} */ (this.buttons.people),
      button('invite', SHAPE.invite, () => act.panel('invite')),
      button('live', SHAPE.live, () => act.panel('live')),
      button('settings', SHAPE.settings, () => act.panel('settings')),
      h('span', { class: 'gap' }),
      button('leave', SHAPE.leave, act.leave));
  }

  /** Takes the next camera: on a phone, the one on the other side. */
  async #turn() {
    const { publishing } = this.#session;
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === 'videoinput');
    const at = cameras.findIndex(({ deviceId }) => deviceId === publishing.devices.camera);
    const next = cameras[(at + 1) % cameras.length];
    if (next) publishing.set({ camera: next.deviceId });
  }

  #hand() {
    const { connection, me } = this.#session;
    connection.send({ type: 'hand', up: !connection.people.get(me?.id ?? '')?.hand });
  }

  /** Presses the button of a key; returns whether there is one. @param {string} key */
  press(key) {
    const [name] = Object.entries(KEYS).find(([, one]) => one === key) ?? [];
    const button = name && this.buttons[name];
    if (!button || button.hidden) return false;
    button.click();
    return true;
  }

  /**
   * @param {object} shown
   * @param {string} shown.panel the open one; empty: none
   * @param {number} shown.cameras
   * @param {boolean} shown.chat there is a chat
   * @param {number} shown.unread messages
   * @param {(word: string, detail?: string) => string} say
   */
  render({ panel, cameras, chat, unread }, say) {
    const session = this.#session;
    const { publishing, seated, isHost, me, connection, layout } = session;
    const state = (/** @type {string} */ name, /** @type {string} */ word, /** @type {{ off?: boolean, pressed?: boolean, expanded?: boolean, hidden?: boolean, shape?: string }} */ { off, pressed, expanded, hidden = false, shape } = {}) => {
      const button = /** @type {HTMLButtonElement} */ (this.buttons[name]);
      const key = KEYS[/** @type {keyof typeof KEYS} */ (name)];
      button.hidden = hidden;
      button.setAttribute('aria-label', say(word));
      button.title = say(word) + (key ? ` (${key})` : '');
      button.classList.toggle('off', off === true);
      if (pressed !== undefined) button.setAttribute('aria-pressed', String(pressed));
      if (expanded !== undefined) button.setAttribute('aria-expanded', String(expanded));
      if (shape && button.dataset.shape !== shape) {
        button.dataset.shape = shape;
        button.firstElementChild?.replaceWith(icon(shape));
      }
    };
    const { muted } = publishing;
    const dark = publishing.options.cameraOff;
    state('microphone', muted ? 'unmute' : 'mute', { off: muted, hidden: !seated, shape: muted ? SHAPE.silent : SHAPE.microphone });
    state('camera', dark ? 'cameraOn' : 'cameraOff', { off: dark, hidden: !seated || publishing.options.source === 'audio', shape: dark ? SHAPE.dark : SHAPE.camera });
    state('turn', 'turn', { hidden: !seated || cameras < 2 || dark });
    const sharing = publishing.screen !== null;
    state('share', sharing ? 'unshare' : 'share', { pressed: sharing, hidden: !seated || !navigator.mediaDevices?.getDisplayMedia });
    const up = connection.people.get(me?.id ?? '')?.hand ?? false;
    state('hand', up ? 'lowerHand' : 'raiseHand', { pressed: up, hidden: seated });
    state('layout', `layout:${layout}`, { shape: { grid: SHAPE.layout, speaker: SHAPE.speaker, side: SHAPE.side, screen: SHAPE.speaker, pip: SHAPE.speaker }[layout] });
    state('chat', unread ? 'chatUnread' : 'chat', { expanded: panel === 'chat', hidden: !chat });
    state('people', 'people', { expanded: panel === 'people' });
    state('invite', 'invite', { expanded: panel === 'invite', hidden: !isHost });
    state('live', connection.live ? 'live' : 'goLive', { expanded: panel === 'live', hidden: !isHost });
    state('settings', 'settings', { expanded: panel === 'settings' });
    state('leave', 'leave');
    // What is seen in a button has to be a part of its name, for people who speak to their computer.
    const named = (/** @type {string} */ name, /** @type {string} */ text) => {
      const button = /** @type {HTMLButtonElement} */ (this.buttons[name]);
      if (text) button.setAttribute('aria-label', `${button.getAttribute('aria-label')}, ${text}`);
    };
    named('people', String(session.people.length));
    named('chat', unread ? String(unread > 99 ? '99+' : unread) : '');
    this.count.textContent = String(session.people.length);
    this.unread.textContent = unread > 99 ? '99+' : String(unread);
    this.unread.hidden = !unread;
  }
}
