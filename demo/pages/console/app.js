// The console: logs in with the token of the link, chooses the view, and passes on what the gateway says.

import { learn } from './addresses.js';
import { call, session } from './api.js';
import { sentence } from './describe.js';
import { $, announce, copyable, h, say, show } from './dom.js';
import { follow } from './extras.js';
import { live } from './live.js';
import { listen } from './state.js';
import { chinese, t } from './words.js';

/** @typedef {{ update: () => void, end?: () => void }} View */

const VIEWS = ['live', 'recordings', 'keys', 'server'];
/** Facts that a screen reader is told. */
const TOLD = ['started', 'ended', 'paused'];

const main = $('main');
/** @type {View | null} */
let view = null;
/** Ends what runs while somebody is logged in. @type {(() => void)[]} */
let running = [];
let route = 0;

document.documentElement.lang = chinese ? 'zh-CN' : 'en';
document.title = `${t('console')} · Lianmai 连麦`;
say($('skip'), t('skip'));

/** The token of the link; it does not stay in the address. */
function takeToken() {
  const token = location.hash.slice(1);
  if (token.split('.').length !== 3 || token.startsWith('/')) return '';
  history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/** Matches one part of a stream's name, by the rules of the gateway. */
const PART = /^[^.\p{Cc}\s\\?#%<>"'`][^\p{Cc}\s\\?#%<>"'`]*$/u;

/**
 * The stream that an address names; nothing if no stream can have this name. Somebody else may have written the
 * address, and the name goes into addresses and commands that people copy.
 * @param {string} text
 */
function streamOf(text) {
  try {
    const parts = decodeURIComponent(text).split('/');
    return parts.length > 1 && parts.every((part) => PART.test(part)) ? parts.join('/') : '';
  } catch {
    return '';
  }
}

/** The address shows a view, such as `#/stream/live/x`. */
async function open() {
  if (!running.length) return;
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  const shown = name === 'stream' ? 'live' : VIEWS.includes(name) ? name : 'live';
  for (const link of $('nav').querySelectorAll('a')) {
    if (link.hash === `#/${shown}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  route += 1;
  const mine = route;
  const make = await load(name, streamOf(rest.join('/')));
  // Somebody may have gone on meanwhile.
  if (mine !== route) return;
  view?.end?.();
  view = make();
  view.update();
  document.title = `${main.querySelector('h1')?.textContent ?? ''} · ${t('console')} · Lianmai 连麦`;
  main.querySelector('h1')?.focus();
}

/** The code of a view other than the first is loaded with it. @param {string} name @param {string} stream */
async function load(name, stream) {
  const changed = () => view?.update();
  if (name === 'stream' && stream) {
    const module = await import('./stream.js');
    return () => module.stream(main, changed, stream);
  }
  if (name === 'recordings') {
    const module = await import('./recordings.js');
    return () => module.recordings(main);
  }
  if (name === 'keys') {
    const module = await import('./keys.js');
    return () => module.keys(main);
  }
  if (name === 'server') {
    const module = await import('./server.js');
    return () => module.server(main);
  }
  return () => live(main, changed);
}

/** Begins once the gateway knows this browser. */
async function begin() {
  await learn();
  $('nav').replaceChildren(...VIEWS.map((name) => h('a', { href: `#/${name}` }, t(name))));
  $('nav').setAttribute('aria-label', t('views'));
  show($('nav'), true);
  show($('logout'), true);
  say($('logout'), t('logOut'));
  const banner = $('banner');
  const changed = () => view?.update();
  running = [follow(changed), listen({
    changed,
    fact: (fact) => {
      if (TOLD.includes(fact.what)) announce(sentence(fact));
      changed();
    },
    missed: (n) => announce(t('missed', { n })),
    lost: (lost) => {
      say(banner, lost ? t('lost') : '');
      show(banner, lost);
    },
  })];
  await open();
}

/** @param {string} [message] why */
function logIn(message = '') {
  for (const end of running) end();
  running = [];
  view?.end?.();
  view = null;
  for (const id of ['nav', 'logout', 'banner']) show($(id), false);
  const wrong = h('p', { class: 'wrong', role: 'alert' }, message);
  const command = h('dl', { class: 'addresses' });
  copyable(command, [[t('command'), 'lianmai console']]);
  const field = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', required: '' });
  const form = h('form', { class: 'login' }, h('label', { class: 'field' }, t('link'), field), h('button', { type: 'submit', class: 'primary' }, t('logIn')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const token = /[\w-]+\.[\w-]+\.[\w-]+$/.exec(field.value.trim())?.[0];
    say(wrong, '');
    say(wrong, token ? await enter(token) : t('linkWrong'));
  });
  main.replaceChildren(h('div', { class: 'card gate' }, h('h1', { tabindex: '-1' }, t('logInTitle')), wrong, h('p', {}, t('logInText')), command, form));
}

/** Buys a login with a token. Returns why that is refused. @param {string} token */
async function enter(token) {
  const answer = await call('POST', 'api/v1/logins', { token });
  if (!answer.ok) return answer.message;
  await begin();
  return '';
}

session.loggedOut = (message) => { if (running.length) logIn(message); };
addEventListener('hashchange', () => {
  const token = takeToken();
  if (token && !running.length) void enter(token).then((message) => message && logIn(message));
  else void open();
});
$('logout').addEventListener('click', async () => {
  await call('DELETE', 'api/v1/logins/current');
  logIn(t('loggedOut'));
});

const token = takeToken();
const known = await call('GET', 'api/v1/logins');
if (known.ok) await begin();
else if (token) {
  const message = await enter(token);
  if (message) logIn(message);
} else logIn(known.status === 0 ? known.message : '');
