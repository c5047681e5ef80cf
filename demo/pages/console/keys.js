// The view of the keys: the publish secret, keys of people, trusted sites, logged-in browsers.

import { obs, playerPage, publisherPage, withCodes } from './addresses.js';
import { call, path, refusal } from './api.js';
import { ROOT, announce, button, dialog, h, say, section, show, table } from './dom.js';
import { program } from './describe.js';
import { secret } from './secret.js';
import { sites } from './sites.js';
import { moment, t } from './words.js';

const EVERY_MS = 10_000;

/** @param {number | null} s since 1970 */
const at = (s) => (s ? moment(s * 1000) : t('never'));

/** @param {HTMLElement} main */
export function keys(main) {
  const list = keyTable(() => ask());
  const none = h('p', { class: 'quiet' }, t('noKeys'));
  const logins = loginTable(() => ask());
  const made = h('div', { class: 'made', role: 'status' });
  const trusted = sites();
  main.replaceChildren(
    h('div', { class: 'head' }, h('h1', { tabindex: '-1' }, t('keys'))),
    section(t('keysTitle'), h('p', { class: 'quiet' }, t('keysText')), form(made, () => ask()), made, list.node, none),
    section(t('secretTitle'), secret()),
    section(t('sites'), h('p', { class: 'quiet' }, t('sitesText')), trusted.node),
    section(t('logins'), h('p', { class: 'quiet' }, t('loginsText')), logins.node),
  );
  async function ask() {
    if (document.hidden) return;
    const [all, browsers, issuers] = await Promise.all(['keys', 'logins', 'issuers'].map((name) => call('GET', `api/v1/${name}`)));
    if (all.ok) list.update(all.data.keys);
    show(list.node, all.data.keys?.length);
    show(none, all.ok && !all.data.keys.length);
    if (browsers.ok) logins.update(browsers.data.logins);
    if (issuers.ok) trusted.update(issuers.data.issuers);
  }
  void ask();
  const timer = setInterval(ask, EVERY_MS);
  return { update: () => {}, end: () => clearInterval(timer) };
}

/** The form that makes a key. @param {HTMLElement} made @param {() => void} changed */
function form(made, changed) {
  const name = h('input', { type: 'text', required: '', maxlength: '64', autocomplete: 'off' });
  const streams = h('input', { type: 'text', required: '', autocomplete: 'off', spellcheck: 'false', placeholder: t('keyStreamsHint') });
  const publish = h('input', { type: 'checkbox', checked: '' });
  const play = h('input', { type: 'checkbox' });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const node = h('form', { class: 'row make' },
    h('label', { class: 'field' }, t('keyName'), name), h('label', { class: 'field' }, t('keyStreams'), streams),
    h('label', { class: 'check' }, publish, ` ${t('mayPublish')}`), h('label', { class: 'check' }, play, ` ${t('mayPlay')}`),
    h('button', { type: 'submit', class: 'primary' }, t('makeKey')), wrong);
  node.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = { name: name.value.trim(), streams: streams.value.trim(), publish: publish.checked, play: play.checked };
    const answer = await call('POST', 'api/v1/keys', { body });
    say(wrong, refusal(answer));
    if (!answer.ok) return;
    showMade(made, answer.data.key);
    node.reset();
    changed();
  });
  return node;
}

/** Shows a new key, which is not shown again. @param {HTMLElement} made @param {any} entry */
function showMade(made, { name, key, streams, publish, play }) {
  const stream = streams.replace(/^\*$/, 'live/*').replace(/\*$/, 'NAME');
  const list = h('dl', { class: 'addresses' });
  const page = publisherPage(stream, key);
  const watch = playerPage(stream, key);
  withCodes(list, [
    [t('keyItself'), key],
    ...(publish ? [...obs(stream, key), /** @type {[string, string]} */ ([t('whip'), `${new URL(path(stream), ROOT)}/whip?key=${key}`]), /** @type {[string, string, string]} */ ([t('guestLink'), page, page])] : []),
    ...(play ? [/** @type {[string, string, string]} */ ([t('watchLink'), watch, watch])] : []),
  ]);
  const close = button(t('close'), () => made.replaceChildren());
  made.replaceChildren(h('div', { class: 'card' }, h('h3', {}, t('keyMade', { name })), list, h('div', { class: 'buttons' }, close)));
}

/** @param {() => void} changed */
function keyTable(changed) {
  const columns = ['keyName', 'keyStreams', 'may', 'made', 'used', 'action'].map((name) => t(name));
  return table(t('keysTitle'), columns, (key) => key.id, (/** @type {any} */ key) => {
    const revoke = button(t('revoke'), () => dialog(t('revokeTitle', { name: key.name }), [h('p', {}, t('revokeText'))], { label: t('revokeNow'), press: async () => {
      const answer = await call('DELETE', `api/v1/keys/${key.id}`);
      changed();
      return refusal(answer);
    } }), t('revokeOf', { name: key.name }));
    const may = [key.publish ? t('publishVerb') : '', key.play ? t('watchVerb') : ''].filter(Boolean).join(', ');
    return { cells: [key.name, key.streams, may, at(key.created), '', revoke], update: (now, cells) => say(cells[4], at(now.used)) };
  });
}

/** @param {() => void} changed */
function loginTable(changed) {
  const columns = ['program', 'who', 'address', 'made', 'used', 'until', 'action'].map((name) => t(name));
  return table(t('logins'), columns, (login) => login.id, (/** @type {any} */ login) => {
    const name = program(login.agent);
    const end = button(t('endLogin'), async () => {
      const answer = await call('DELETE', `api/v1/logins/${login.id}`);
      announce(answer.ok ? t('ended') : refusal(answer));
      changed();
    }, t('endLoginOf', { name: `${name}, ${login.ip}` }));
    const cells = [name, login.subject, login.ip, at(login.created), '', at(login.expires), login.current ? t('thisBrowser') : end];
    return { cells, update: (now, nodes) => say(nodes[4], at(now.used)) };
  });
}
