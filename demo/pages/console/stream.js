// The view of one stream: player, publisher, viewers, events, addresses.

import * as actions from './actions.js';
import { addressLists } from './addresses.js';
import { call, path, refusal } from './api.js';
import * as describe from './describe.js';
import { announce, button, h, keyed, say, section, show, table } from './dom.js';
import { lists, mixOf, recordingOf, refresh, targetsOf } from './extras.js';
import { badgesOf } from './live.js';
import { row } from './recordings.js';
import { facts, figures } from './state.js';
import * as words from './words.js';
import { clock, day, duration, moment, rate, t } from './words.js';

/** Viewers that are listed; a further line says how many more there are. */
const MAX_ROWS = 100;
const CLIENTS_EVERY_MS = 3000;
/** Recordings that are listed, newest first. */
const MAX_RECORDS = 20;

/** @param {HTMLElement} main @param {() => void} changed @param {string} name */
export function stream(main, changed, name) {
  const title = h('h1', { tabindex: '-1' }, name);
  const state = h('span', { class: 'pill' });
  const about = h('div', { class: 'lines' });
  const amiss = h('p', { class: 'amiss' });
  const gone = h('div', { class: 'welcome', hidden: '' }, h('h2', {}, t('gone', { name })), h('p', {}, t('goneText')));
  const screen = h('div', { class: 'screen big' });
  let id = '';
  const stop = button(t('stop'), () => actions.stop(name, id), t('stopOf', { name }));
  const record = button(t('record'), () => actions.record(name, changed));
  const send = button(t('sendOn'), () => actions.sendOn(name, changed), t('sendOnOf', { name }));
  const present = h('div', { class: 'columns' },
    h('div', {}, screen),
    h('div', { class: 'side' }, h('h2', {}, t('publisher')), about, amiss, h('div', { class: 'buttons' }, record, send, stop)));

  const viewers = viewerTable();
  const nobody = h('p', { class: 'quiet' }, t('nobodyWatches'));
  const more = h('p', { class: 'quiet' });
  const targets = targetTable(changed);
  const noTargets = h('p', { class: 'quiet' }, t('noTargets'));
  const targetSection = section(t('targets'), targets.node, noTargets);
  const inputs = inputTable();
  const mixText = h('p', { class: 'quiet' });
  const mixSection = section(t('mixOf'), mixText, inputs.node);
  const tape = recordingList(name);
  const happened = h('ol', { class: 'events' });
  const nothing = h('p', { class: 'quiet' }, t('noEvents'));
  main.replaceChildren(
    h('p', { class: 'back' }, h('a', { href: '#/live' }, `← ${t('back')}`)),
    h('div', { class: 'head' }, h('div', { class: 'title' }, title, state)),
    gone, present,
    section(t('viewers'), viewers.node, nobody, more),
    mixSection, targetSection, tape.node,
    section(t('events'), happened, nothing),
    section(t('addressesTitle'), ...addressLists(name)),
  );
  const events = keyed(happened, ({ number }) => String(number), fact);
  const lines = keyed(about, (/** @type {{ key: string, text: string }} */ { key }) => key, () => {
    const node = h('p');
    return { node, update: ({ text }) => say(node, text) };
  });

  /** @type {any[]} */
  let clients = [];
  let total = 0;
  const ask = async () => {
    if (document.hidden) return;
    void tape.ask();
    const answer = await call('GET', `api/v1/clients?count=${MAX_ROWS + 1}&stream=${encodeURIComponent(name)}`);
    if (!answer.ok) return;
    clients = answer.data.clients.filter((/** @type {any} */ { publish }) => !publish).slice(0, MAX_ROWS);
    total = answer.data.total - answer.data.clients.filter((/** @type {any} */ { publish }) => publish).length;
    update();
  };
  void ask();
  const timer = setInterval(ask, CLIENTS_EVERY_MS);

  function update() {
    const now = figures?.streams.find((one) => one.name === name);
    show(gone, figures && !now);
    show(present, now);
    say(state, t(now?.live ? 'onAir' : 'awayFor'));
    state.className = now?.live ? 'pill on' : 'pill';
    show(state, now);
    if (now) {
      id = now.publisher?.id ?? '';
      if (!screen.firstChild && now.video) screen.append(actions.player(name));
      const trouble = describe.amiss(now);
      say(amiss, trouble);
      show(amiss, trouble);
      const since = `${t('liveFor', { time: duration((figures?.now_ms ?? 0) - now.since_ms) })} · ${moment(now.since_ms)}`;
      const texts = [describe.publisher(now) || t('awayFor'), describe.media(now), describe.viewers(now), since, badgesOf(name).join(' · ')];
      lines(texts.filter(Boolean).map((text, at) => ({ key: String(at), text })));
      show(stop, id && now.publisher?.identity !== 'job');
      show(record, lists.records);
      say(record, t(recordingOf(name) ? 'stopRecord' : 'record'));
      record.setAttribute('aria-label', t(recordingOf(name) ? 'stopRecordOf' : 'recordIt', { name }));
      show(send, lists.forwards);
    }
    viewers.update(clients);
    show(viewers.node, clients.length);
    show(nobody, !clients.length);
    show(more, total > clients.length);
    say(more, t('andMore', { n: total - clients.length }));

    const sent = targetsOf(name);
    targets.update(sent);
    show(targetSection, lists.forwards);
    show(targets.node, sent.length);
    show(noTargets, !sent.length);

    const mix = mixOf(name);
    show(mixSection, mix);
    if (mix) {
      const { status } = mix;
      const limit = status.limited_by ? ` · ${t('mixLimit', { why: status.limited_by })}` : '';
      say(mixText, t('mixText', { fps: status.fps, cpu: status.cpu_percent, ms: status.encoder_ms, quality: status.quality }) + limit);
      inputs.update(status.inputs);
    }
    const own = facts.filter((one) => one.stream === name).slice(-50).reverse();
    events(own);
    show(nothing, !own.length);
  }
  return { update, end: () => clearInterval(timer) };
}

/** The recordings of a stream. @param {string} name */
function recordingList(name) {
  const screen = h('div', { class: 'screen big', hidden: '' });
  const list = h('ul', { class: 'records' });
  const none = h('p', { class: 'quiet' }, t('noRecords'));
  const node = section(t('recordings'), screen, list, none);
  const update = keyed(list, (record) => record.url, (/** @type {any} */ record) => row(record, screen, () => ask(), day(record.from_ms)));
  node.hidden = true;
  async function ask() {
    const answer = await call('GET', `api/v1/records?count=${MAX_RECORDS}&stream=${encodeURIComponent(name)}`);
    show(node, answer.ok);
    if (!answer.ok) return;
    update([...answer.data.records].sort((a, b) => b.from_ms - a.from_ms));
    show(none, !answer.data.records.length);
  }
  return { node, ask };
}

/** A line of the events. @param {import('./state.js').Fact} one */
export function fact(one) {
  const time = h('time', { datetime: new Date(one.at_ms).toISOString() }, clock(one.at_ms));
  return { node: h('li', {}, time, h('span', {}, describe.sentence(one))), update: () => {} };
}

/** Names a client by its person, or by the rule that admitted it. @param {any} client */
const who = (client) => client.subject || client.key || words.identity(client.identity);

function viewerTable() {
  const columns = ['address', 'how', 'who', 'since', 'behind', 'missedItems', 'rate', 'program', 'action'].map((name) => t(name));
  return table(t('viewers'), columns, (client) => client.id, (/** @type {any} */ client) => {
    const cells = [client.ip, describe.protocol(client.type.replace(/-play$/, '')), who(client), '', '', '', '', describe.program(client.agent),
      button(t('end'), () => actions.kick(client.id), t('endOf', { name: client.ip }))];
    return { cells, update: (now, nodes) => {
      const texts = [duration(now.alive * 1000), now.behind_ms === undefined ? '–' : `${describe.seconds(now.behind_ms / 1000)} s`, String(now.skipped), rate(now.kbps.send_30s)];
      texts.forEach((text, at) => say(nodes[3 + at], text));
    } };
  });
}

/** @param {() => void} changed */
function targetTable(changed) {
  const columns = ['target', 'state', 'since', 'rate', 'lastWords', 'action'].map((name) => t(name));
  return table(t('targets'), columns, (target) => target.id, (/** @type {any} */ target) => {
    const remove = button(t('remove'), async () => {
      const answer = await call('DELETE', `api/v1/forwards/${encodeURIComponent(target.id)}`);
      announce(answer.ok ? t('removed') : refusal(answer));
      await refresh('forwards');
      changed();
    }, t('removeOf', { name: target.to }));
    return { cells: [target.to, '', '', '', '', remove], update: (now, cells) => {
      const texts = [words.state(now.state), now.since_ms ? duration(Date.now() - now.since_ms) : '–', rate(now.kbps ?? 0), now.last_words ?? '–'];
      texts.forEach((text, at) => say(cells[1 + at], text));
    } };
  });
}

function inputTable() {
  const columns = ['input', 'state', 'rate', 'delay', 'drops', 'level'].map((name) => t(name));
  return table(t('mixOf'), columns, (input) => input.stream, (/** @type {any} */ input) => ({
    cells: [h('a', { href: `#/stream/${path(input.stream)}` }, input.stream), '', '', '', '', ''],
    update: (now, cells) => {
      const texts = [[words.state(now.state), now.failure].filter(Boolean).join(': '), t('fps', { n: now.fps }), `${now.delay_ms} ms`, String(now.drops), `${now.level} dB`];
      texts.forEach((text, at) => say(cells[1 + at], text));
    },
  }));
}
