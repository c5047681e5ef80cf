// The panel of the broadcast: a host starts and ends it, chooses its layout and who is seen.

import { h, tell } from '../ui/dom.js';
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

  /** @param {import('./session.js').RoomSession} session @param {() => string} page the room's page for guests */
  constructor(session, page) {
    this.#session = session;
    this.page = page;
    const { connection } = session;
    const row = (/** @type {string} */ word, /** @type {HTMLElement} */ field) => h('label', {}, this.#labels[word] = h('span', {}), field);
    this.#layout.onchange = () => void connection.send({ type: 'settings', layout: this.#layout.value });
    this.#start = h('button', { type: 'button', class: 'primary', onclick: () => void connection.send({ type: 'go_live' }) });
    this.#end = h('form', {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        connection.send({ type: 'stop_live', card: this.#card.value.trim() });
      },
    }, row('lastCard', this.#card), this.#labels.endLive = h('button', { class: 'end' }));
    this.node = h('div', { class: 'body live' }, this.#state, this.#problem, this.#start, this.#watch, row('liveLayout', this.#layout), this.#seen, this.#end);
  }

  /** @param {Say} say */
  render(say) {
    const { connection: { live, room, people }, isHost } = this.#session;
    for (const [word, node] of Object.entries(this.#labels)) tell(node, say(word));
    const mixed = live?.mixed ?? false;
    tell(this.#state, live ? say(mixed ? 'liveNow' : 'liveOther', String(live.viewers)) : say('liveHint'));
    tell(this.#problem, live?.problem ? say('liveProblem', live.problem) : '');
    this.#problem.hidden = !live?.problem;
    tell(this.#start, say('goLive'));
    this.#start.hidden = !isHost || live !== null;
    this.#end.hidden = !isHost || !mixed;
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
    const focused = /** @type {ShadowRoot | Document} */ (this.node.getRootNode()).activeElement?.getAttribute('data-id');
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
