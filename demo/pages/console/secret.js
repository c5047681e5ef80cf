// The publish secret: covered until somebody wants to see it, and replaced by a new one.

import { gateway, learn, obs } from './addresses.js';
import { call, refusal } from './api.js';
import { announce, button, copyable, dialog, h, say, show } from './dom.js';
import { t } from './words.js';

/** @returns {HTMLElement} */
export function secret() {
  const text = h('p', { class: 'quiet' });
  const list = h('dl', { class: 'addresses' });
  const reveal = button(t('show'), () => cover(list.childElementCount > 0));
  const renew = button(t('renew'), () => dialog(t('renewTitle'), [h('p', {}, t('renewText')), h('p', {}, t('renewKeys'))], { label: t('renewNow'), press: async () => {
    const answer = await call('POST', 'api/v1/secrets/publish');
    if (!answer.ok) return refusal(answer);
    await learn();
    cover(false);
    announce(t('renewed'));
  } }));

  /** @param {boolean} covered */
  function cover(covered) {
    if (covered) list.replaceChildren();
    else copyable(list, [[t('secret'), gateway.secret], ...obs('live/livestream')]);
    say(reveal, t(covered ? 'show' : 'hide'));
    reveal.setAttribute('aria-expanded', String(!covered));
  }

  cover(true);
  void learn().then(() => {
    const isUsed = gateway.secret && gateway.isNeeded;
    say(text, !isUsed ? t('secretNone') : gateway.isRenewable ? t('secretText') : `${t('secretText')} ${t('secretSet')}`);
    show(reveal, isUsed);
    show(renew, isUsed && gateway.isRenewable);
  });
  return h('div', {}, text, h('div', { class: 'buttons' }, reveal, renew), list);
}
