// The first view: a card for each stream.

import * as actions from './actions.js';
import { addressDialog, obs, publisherPage } from './addresses.js';
import { path } from './api.js';
import * as describe from './describe.js';
import { button, copyable, h, keyed, say, show } from './dom.js';
import { lists, mixOf, recordingOf, targetsOf } from './extras.js';
import { Picture } from './pictures.js';
import { figures } from './state.js';
import { count, duration, size, t } from './words.js';

/** @typedef {import('./state.js').Stream} Stream */

/** From this number of streams on there is a field to filter them. */
const MANY = 7;

/** @param {HTMLElement} main @param {() => void} changed */
export function live(main, changed) {
  const title = h('h1', { tabindex: '-1' }, t('live'));
  const summary = h('p', { class: 'summary' });
  const filter = h('input', { type: 'search', placeholder: t('filter'), 'aria-label': t('filter') });
  const cards = h('ul', { class: 'streams', 'aria-label': t('live') });
  const none = h('p', { class: 'quiet' }, t('noMatch'));
  const more = h('p', { class: 'quiet' });
  const nobody = welcome();
  filter.addEventListener('input', changed);
  main.replaceChildren(h('div', { class: 'head' }, h('div', {}, title, summary), filter), nobody, cards, none, more);
  const update = keyed(cards, (/** @type {Stream} */ { name }) => name, (stream) => card(stream, changed));
  return {
    update: () => {
      if (!figures) return;
      const { streams, total, viewers, cpu_percent: cpu, memory_bytes: memory } = figures;
      const wanted = filter.value.trim().toLowerCase();
      const shown = wanted ? streams.filter(({ name }) => name.toLowerCase().includes(wanted)) : streams;
      say(summary, [count('streams', total), count('viewers', viewers), cpu === null ? '' : t('cpu', { n: Math.round(cpu) }), t('memory', { n: size(memory) })].filter(Boolean).join(' · '));
      show(filter, streams.length >= MANY || wanted);
      show(nobody, total === 0);
      show(none, total > 0 && shown.length === 0);
      show(more, total > streams.length);
      say(more, t('more', { n: total - streams.length }));
      update(shown);
    },
  };
}

/** Instructions for publishers, shown while nobody is live. */
function welcome() {
  const list = h('dl', { class: 'addresses' });
  copyable(list, obs('live/livestream'));
  return h('div', { class: 'welcome' },
    h('h2', {}, t('nobody')),
    h('p', {}, t('nobodyText')),
    h('div', { class: 'two' },
      h('div', { class: 'card' }, h('h3', {}, t('obs')), h('p', {}, t('obsText')), list),
      h('div', { class: 'card' }, h('h3', {}, t('browser')), h('p', {}, t('browserText')),
        h('p', {}, h('a', { class: 'go', href: publisherPage('live/livestream') }, t('goLive'))))));
}

/** @param {Stream} first @param {() => void} changed */
function card({ name }, changed) {
  const state = h('span', { class: 'pill' });
  const by = h('p', {});
  const media = h('p', { class: 'figures-line' });
  const viewers = h('p', {});
  const amiss = h('p', { class: 'amiss' });
  const badges = h('p', { class: 'badges' });
  const screen = h('div', { class: 'screen' });
  const look = button(t('lookIn'), () => toggle(), t('lookInAt', { name }));
  let id = '';
  const stop = button(t('stop'), () => actions.stop(name, id), t('stopOf', { name }));
  const record = button(t('record'), () => actions.record(name, changed));
  const send = button(t('sendOn'), () => actions.sendOn(name, changed), t('sendOnOf', { name }));
  const node = h('li', { class: 'stream' },
    screen,
    h('div', { class: 'about' },
      h('div', { class: 'title' }, h('h2', {}, h('a', { href: `#/stream/${path(name)}` }, name)), state),
      by, media, viewers, badges, amiss,
      h('div', { class: 'buttons' }, look, button(t('addresses'), () => addressDialog(name), t('addressesOf', { name })), record, send, stop)));
  const picture = new Picture(name, screen);

  function toggle() {
    const open = screen.querySelector('srs-player');
    say(look, t(open ? 'lookIn' : 'closePicture'));
    look.setAttribute('aria-label', t(open ? 'lookInAt' : 'closePictureOf', { name }));
    if (open) open.remove();
    else screen.append(actions.player(name));
    node.classList.toggle('open', !open);
  }

  return {
    node,
    end: () => picture.end(),
    /** @param {Stream} stream */
    update: (stream) => {
      id = stream.publisher?.id ?? '';
      const trouble = describe.amiss(stream);
      const time = duration((figures?.now_ms ?? 0) - stream.since_ms);
      say(state, stream.live ? t('onAirFor', { time }) : t('awayFor'));
      state.className = stream.live ? 'pill on' : 'pill';
      node.classList.toggle('bad', trouble !== '');
      const who = describe.publisher(stream);
      say(by, who);
      show(by, who);
      say(media, describe.media(stream));
      say(viewers, describe.viewers(stream));
      say(amiss, trouble);
      show(amiss, trouble);
      const words = badgesOf(name);
      say(badges, words.join(' · '));
      show(badges, words.length);
      show(stop, id && stream.publisher?.identity !== 'job');
      const running = recordingOf(name);
      show(record, lists.records);
      say(record, t(running ? 'stopRecord' : 'record'));
      record.setAttribute('aria-label', t(running ? 'stopRecordOf' : 'recordIt', { name }));
      show(send, lists.forwards);
      if (stream.live && stream.video) picture.update();
    },
  };
}

/** Describes the recording, forwards, mix and room of a stream. @param {string} name */
export function badgesOf(name) {
  const targets = targetsOf(name);
  const bad = targets.filter(({ state }) => state === 'retrying' || state === 'refused');
  const room = lists.rooms?.find((/** @type {any} */ { name: room, live: broadcast }) => name.startsWith(`${room}/`) || broadcast === name);
  return [
    mixOf(name) ? t('badgeMix') : '',
    room ? t('badgeRoom', { name: room.name }) : '',
    recordingOf(name) ? t('badgeRecorded') : '',
    targets.length > bad.length ? t('badgeSent', { n: targets.length - bad.length }) : '',
    bad.length ? t('badgeSentBad', { n: bad.length }) : '',
  ].filter(Boolean);
}
