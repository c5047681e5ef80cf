// The panel of the broadcast: a host starts and ends it, chooses its layout and who is seen.

import { h, tell } from '../ui/dom.js';
import { PageMix } from './page-mix.js';
import { fill } from './settings.js';

/** @typedef {(word: string, detail?: string) => string} Say */

/** The layouts of a broadcast. */
const LAYOUTS = ['grid', 'speaker', 'side', 'screen', 'pip'];

export class LivePanel {
  #session;
  #state = h('p', { class: 'hint', role: 'status' });
  #problem = h('p', { class: 'hint' });
  #layout = h('select', {});
  #seen = h('fieldset', {});
  #legend = h('legend', {});
  #card = h('input', { type: 'text', maxlength: '100' });
  #start;
  #end;
  #watch = h('a', { target: '_blank', rel: 'noopener' });
  /** @type {Record<string, HTMLElement>} */
  #labels = {};
  #drawn = '';
  /** Why the gateway does not mix, in its words; empty: nobody has asked, or it does. */
  #refusal = '';
  #here = h('button', { type: 'button', class: 'primary', onclick: () => void this.#mix.start(this.node.getRootNode()) });
  #mix;

  /**
   * @param {import('./session.js').RoomSession} session
   * @param {() => string} page the room's page for guests
   * @param {() => import('../net/token-ask.js').Token} credentials
   * @param {() => void} render has the view rendered
   */
  constructor(session, page, credentials, render) {
    this.#session = session;
    this.page = page;
    this.#mix = new PageMix(session, credentials);
    this.#mix.addEventListener('change', render);
    session.connection.addEventListener('error', (event) => {
      const { code, text } = /** @type {CustomEvent<{ code: string, text: string }>} */ (event).detail;
      if (code !== 'cannot_mix') return;
      this.#refusal = text;
      render();
    }, { signal: session.signal });
    const { connection } = session;
    const row = (/** @type {string} */ word, /** @type {HTMLElement} */ field) => h('label', {}, this.#labels[word] = h('span', {}), field);
    this.#layout.onchange = () => void connection.send({ type: 'settings', layout: this.#layout.value });
    this.#start = h('button', { type: 'button', class: 'primary', onclick: () => void connection.send({ type: 'go_live' }) });
    this.#end = h('form', {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        if (this.#mix.on) void this.#mix.stop();
        else connection.send({ type: 'stop_live', card: this.#card.value.trim() });
      },
    }, row('lastCard', this.#card), this.#labels.endLive = h('button', { class: 'end' }));
    this.node = h('div', { class: 'body live' }, this.#state, this.#problem, this.#start, this.#here, this.#watch, row('liveLayout', this.#layout), this.#seen, this.#end);
  }

  /** @param {Say} say */
  render(say) {
    const { connection: { live, room, people }, isHost } = this.#session;
    for (const [word, node] of Object.entries(this.#labels)) tell(node, say(word));
    const { on, problem } = this.#mix;
    const root = /** @type {ShadowRoot | Document} */ (this.node.getRootNode());
    const pressed = [this.#start, this.#here, this.#labels.endLive].find((button) => button === root.activeElement);
    const mixed = live?.mixed ?? false;
    if (mixed) this.#refusal = '';
    const hint = on ? say('mixing') : this.#refusal ? say('mixHint', this.#refusal) : say('liveHint');
    tell(this.#state, live && (mixed || on) ? [say('liveNow', String(live.viewers)), ...(on ? [hint] : [])].join(' · ') : live && !on ? say('liveOther', String(live.viewers)) : hint);
    const wrong = live?.problem || problem;
    tell(this.#problem, wrong ? say('liveProblem', wrong) : '');
    this.#problem.hidden = !wrong;
    tell(this.#start, say('goLive'));
    this.#start.hidden = !isHost || live !== null || on;
    tell(this.#here, say('mixHere'));
    this.#here.hidden = this.#start.hidden || !this.#refusal;
    this.#end.hidden = !isHost || (!mixed && !on);
    // The gateway's mix alone has a last card.
    /** @type {HTMLElement} */ (this.#card.parentElement).hidden = on;
    // The button that was pressed is hidden now: another one is the next to press.
    if (pressed && !pressed.checkVisibility()) [this.#here, this.#start, this.#labels.endLive].find((button) => button?.checkVisibility())?.focus();
    this.#watch.hidden = !live;
    this.#watch.href = `${this.page().replace(/[?#].*$/, '').replace(/\/$/, '')}/watch`;
    tell(this.#watch, say('watchLive'));
    fill(this.#layout, LAYOUTS.map((one) => [one, say(`name:${one}`)]), room?.layout ?? 'grid');
    this.#layout.disabled = !isHost;
    const seated = [...people.values()].filter(({ role }) => role === 'host' || role === 'guest');
    // A list that is the same stays, with the focus in it.
    const drawn = JSON.stringify([seated.map(({ id, name, shown }) => [id, name, shown]), isHost, say('whoIsSeen')]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    tell(this.#legend, say('whoIsSeen'));
    const focused = root.activeElement?.getAttribute('data-id');
    this.#seen.replaceChildren(this.#legend, ...seated.map(({ id, name, shown }) => {
      const box = h('input', {
        type: 'checkbox', 'data-id': id, checked: shown !== false, disabled: !isHost,
        onchange: () => void this.#session.connection.send({ type: 'show', id, shown: box.checked }),
      });
      return h('label', {}, h('span', {}, name), box);
    }));
    if (focused) /** @type {HTMLElement | null} */ (this.#seen.querySelector(`[data-id="${CSS.escape(focused)}"]`))?.focus();
  }
}
