// The panel that invites: a link, and its QR code, which is computed only here.

import { h, tell } from '../ui/dom.js';

/** @typedef {(word: string, detail?: string) => string} Say */
/** @typedef {'host' | 'guest' | 'audience'} Invited */

/** Minutes for which an invitation is valid. */
const MINUTES = 24 * 60;
/** Milliseconds before the end of an invitation from which another one is made: a guest has to have time. */
const SPARE = 3_600_000;

export class Invite {
  #session; #page; #dispatch;
  #role = h('select', {});
  #label = h('span', {});
  #hint = h('p', { class: 'hint' });
  #link = h('input', { type: 'text', readonly: true, onfocus: () => this.#link.select() });
  #copy = h('button', { type: 'button', class: 'primary', onclick: () => void this.#copied() });
  #share = h('button', { type: 'button', onclick: () => void navigator.share({ url: this.#link.value }).catch(() => {}) });
  #code = h('div', { class: 'qr', role: 'img' });
  #done = h('span', { role: 'status' });
  /** Invitations that were made, by role, and the gateway's time when they end. @type {Map<string, { invite: string, until: number }>} */
  #made = new Map();
  /** The role whose invitation was asked for, over the socket of the moment. */
  #asked = '';
  #drawn = '';

  /**
   * @param {import('./session.js').RoomSession} session
   * @param {() => string} page address of the room's page
   * @param {() => void} dispatch has the panel rendered
   */
  constructor(session, page, dispatch) {
    this.#session = session;
    this.#page = page;
    this.#dispatch = dispatch;
    this.#role.onchange = dispatch;
    this.node = h('div', { class: 'body invite' }, h('label', {}, this.#label, this.#role), this.#link, h('div', { class: 'row' }, this.#copy, this.#share), this.#done, this.#code, this.#hint);
    session.connection.addEventListener('invite_made', (event) => {
      const { role, invite, until } = /** @type {CustomEvent<{ role: string, invite: string, until: number }>} */ (event).detail;
      this.#made.set(role, { invite, until });
      this.#asked = '';
      this.#dispatch();
    }, { signal: session.signal });
    // A socket that is lost takes the question with it.
    session.connection.addEventListener('state', () => { this.#asked = ''; }, { signal: session.signal });
  }

  /** @param {Say} say */
  render(say) {
    this.#label.textContent = say('inviteAs');
    const roles = ['guest', 'host', 'audience'];
    if (!this.#role.options.length) this.#role.append(...roles.map((value) => h('option', { value })));
    for (const option of this.#role.options) option.textContent = say(`role:${option.value}`);
    const role = this.#role.value;
    const { invite, until = 0 } = this.#made.get(role) ?? {};
    const old = until < Date.now() + this.#session.connection.clock + SPARE;
    if (old && this.#asked !== role && this.#session.connection.send({ type: 'make_invite', role, minutes: MINUTES })) this.#asked = role;
    const link = invite && !old ? `${this.#page()}#invite=${invite}` : '';
    if (this.#link.value !== link) this.#done.textContent = '';
    this.#link.value = link;
    this.#link.setAttribute('aria-label', say('inviteLink'));
    this.#copy.textContent = say('copy');
    this.#copy.disabled = !link;
    this.#share.textContent = say('send');
    this.#share.hidden = !navigator.share;
    this.#code.setAttribute('aria-label', say('qr'));
    tell(this.#hint, say('inviteHint'));
    void this.#draw(link);
    this.#copiedText = say('copied');
  }

  #copiedText = '';

  async #copied() {
    try {
      await navigator.clipboard.writeText(this.#link.value);
    } catch {
      // Without HTTPS there is no clipboard interface, but this old way.
      this.#link.focus();
      this.#link.select();
      if (!document.execCommand('copy')) return;
    }
    this.#done.textContent = this.#copiedText;
  }

  /** @param {string} link */
  async #draw(link) {
    if (this.#drawn === link) return;
    this.#drawn = link;
    this.#code.replaceChildren();
    if (!link) return;
    const { qrSvg } = await import('./qr.js');
    if (this.#drawn === link) this.#code.replaceChildren(qrSvg(link));
  }
}
