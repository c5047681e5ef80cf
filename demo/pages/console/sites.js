// The sites whose tokens let people in, and the state of their keys.

import { h, say, table } from './dom.js';
import { moment, t } from './words.js';

export function sites() {
  const columns = ['site', 'keyStreams', 'may', 'siteKeys', 'asked', 'state'].map((name) => t(name));
  return table(t('sites'), columns, (site) => `${site.place} ${site.prefix}`, (/** @type {any} */ site) => ({
    cells: [site.own ? h('span', {}, t('siteOwn'), h('br'), h('small', {}, site.place)) : site.place, `${site.prefix ?? ''}*`,
      [t('publishVerb'), t('watchVerb'), site.operates ? t('operateVerb') : ''].filter(Boolean).join(', '), '', '', ''],
    update: (now, cells) => {
      say(cells[3], String(now.keys.length));
      cells[3].title = now.keys.join(', ');
      say(cells[4], now.asked_ms ? moment(now.asked_ms) : t('never'));
      say(cells[5], now.error ?? t(now.keys.length ? 'siteGood' : 'siteNone'));
    },
  }));
}
