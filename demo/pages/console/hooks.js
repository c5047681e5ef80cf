// The addresses of hooks: counts, the last answer, and a test.

import { call, refusal } from './api.js';
import { button, dialog, h, say, table } from './dom.js';
import { moment, t } from './words.js';

/** @param {() => void} changed */
export function hookTable(changed) {
  const columns = ['target', 'state', 'hookAnswer', 'action'].map((name) => t(name));
  return table(t('hooks'), columns, (hook) => `${hook.id} ${hook.address}`, (/** @type {any} */ hook) => {
    const test = button(t('hookTest'), async () => {
      test.disabled = true;
      const answer = await call('POST', `api/v1/hooks/${hook.id}/test`);
      test.disabled = false;
      test.focus();
      if (answer.ok) exchange(answer.data.hook);
      else dialog(hook.address, [h('p', {}, refusal(answer))]);
      changed();
    }, t('hookTestOf', { name: hook.address }));
    return {
      cells: [hook.address, '', '', test],
      update: (now, cells) => {
        say(cells[1], t('hookCounts', { delivered: now.delivered, waiting: now.waiting, failed: now.failed, given_up: now.given_up }));
        const { last } = now;
        say(cells[2], last ? `${last.action}: ${last.error ?? `${last.status} ${last.answer ?? ''}`}`.trim() : '–');
      },
    };
  });
}

/** Shows the last request of an address and its answer. @param {any} hook */
function exchange({ address, last }) {
  const block = (/** @type {string} */ title, /** @type {string} */ text) => [h('h3', {}, title), h('pre', { tabindex: '0', 'aria-label': title }, text)];
  const { at_ms: at, request, status, answer, error, took_ms: took } = last;
  dialog(address, [
    h('p', { class: error || status >= 300 ? 'wrong' : '' }, error ? t('hookNone', { why: error }) : t('hookTook', { status, ms: took })),
    h('p', { class: 'quiet' }, moment(at)),
    ...block(t('hookRequest'), JSON.stringify(request, null, 2)),
    ...(error ? [] : block(t('hookReply'), answer || t('none'))),
  ]);
}
