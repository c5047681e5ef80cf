// The newest warnings and errors of the gateway's log, with their cure.

import { cureOf } from './cures.js';
import { h, keyed, say } from './dom.js';
import { clock, moment, t } from './words.js';

/** Lines that are shown. */
const MAX_SHOWN = 50;
const DAY_MS = 86_400_000;

/** @typedef {{ number: number, at_ms: number, level: 'warn' | 'error', message: string, fields: string }} Line */

export function warnings() {
  const node = h('ol', { class: 'events log' });
  const none = h('p', { class: 'quiet' }, t('noWarnings'));
  const update = keyed(node, ({ number }) => String(number), (/** @type {Line} */ { at_ms: at, level, message, fields }) => {
    const cure = cureOf(message);
    const time = h('time', { datetime: new Date(at).toISOString() }, Date.now() - at < DAY_MS ? clock(at) : moment(at));
    return { node: h('li', {}, time, h('div', {},
      h('p', {}, h('strong', { class: level }, t(level === 'error' ? 'logError' : 'logWarning')), ` ${message} `, h('code', {}, fields)),
      ...(cure ? [h('p', { class: 'cure' }, cure)] : []))), update: () => {} };
  });
  return {
    node, none,
    /** @param {Line[]} lines oldest first */
    update: (lines) => {
      update(lines.slice(-MAX_SHOWN).reverse());
      none.hidden = lines.length > 0;
      say(none, t('noWarnings'));
    },
  };
}
