// The view of the recordings.

import * as actions from './actions.js';
import { call, isAbsent, path, refusal } from './api.js';
import { ROOT, announce, button, dialog, h, keyed, say, show } from './dom.js';
import { clock, day, duration, size, t } from './words.js';

const EVERY_MS = 5000;

/** The address of a recording's file or playlist. @param {string} file */
const at = (file) => new URL(file.replace(/^\//, ''), ROOT).href;

/** Recordings that are listed. */
const MAX_LISTED = 500;

/** @param {HTMLElement} main */
export function recordings(main) {
  const disk = h('p', { class: 'summary' });
  const days = h('div', { class: 'days' });
  const none = h('p', { class: 'quiet', hidden: '' }, `${t('noRecords')} ${t('recordsText')}`);
  const absent = h('p', { class: 'notice', hidden: '' }, t('absent', { what: t('absentRecords') }));
  const screen = h('div', { class: 'screen big', hidden: '' });
  const wrong = h('p', { class: 'amiss', hidden: '' });
  main.replaceChildren(h('div', { class: 'head' }, h('div', {}, h('h1', { tabindex: '-1' }, t('recordings')), disk)), screen, wrong, absent, none, days);

  const update = keyed(days, ([name]) => name, (/** @type {[string, any[]]} */ [name]) => {
    const list = h('ul', { class: 'records' });
    const rows = keyed(list, (record) => record.url, (/** @type {any} */ record) => row(record, screen, () => ask()));
    return { node: h('section', {}, h('h2', {}, name), list), update: ([, records]) => rows(records) };
  });

  async function ask() {
    if (document.hidden) return;
    const answer = await call('GET', `api/v1/records?count=${MAX_LISTED}`);
    show(absent, isAbsent(answer));
    if (!answer.ok) return;
    const { records = [], all_bytes: used = 0, free_bytes: free, stopped } = answer.data;
    say(disk, [t('recordsUse', { size: size(used) }), free == null ? '' : t('diskFree', { free: size(free) })].filter(Boolean).join(' · '));
    say(wrong, stopped ?? '');
    show(wrong, stopped);
    show(none, !records.length);
    /** @type {Map<string, any[]>} */
    const byDay = new Map();
    for (const record of [...records].sort((a, b) => b.from_ms - a.from_ms)) {
      const name = day(record.from_ms);
      byDay.set(name, [...(byDay.get(name) ?? []), record]);
    }
    update([...byDay]);
  }
  void ask();
  const timer = setInterval(ask, EVERY_MS);
  return { update: () => {}, end: () => clearInterval(timer) };
}

/** Returns where a recording is, if an object store is used. @param {any} record */
function place({ upload, local }) {
  if (upload === 'done') return t(local ? 'storedToo' : 'storedOnly');
  return upload === 'uploading' || upload === 'waiting' ? t('uploading') : '';
}

/**
 * A recording as an item of a list.
 * @param {any} record
 * @param {HTMLElement} screen where it is played
 * @param {() => void} changed
 * @param {string} [title] in place of the stream's name
 */
export function row(record, screen, changed, title = record.stream) {
  const name = `${record.stream} ${clock(record.from_ms)}`;
  const address = `api/v1/records/${path(`${record.stream}/${record.file}`)}`;
  const about = h('span', { class: 'quiet' });
  const play = button(t('play'), () => {
    screen.replaceChildren(actions.player(record.stream, at(record.playlist)));
    show(screen, true);
    screen.scrollIntoView({ block: 'nearest' });
  }, t('playOf', { name }));
  let kept = false;
  const keep = button(t('pin'), async () => {
    const answer = await call('PATCH', address, { body: { keep: !kept } });
    announce(answer.ok ? name : refusal(answer));
    changed();
  });
  const upload = button(t('uploadAgain'), async () => {
    const answer = await call('PATCH', address, { body: { upload: true } });
    announce(answer.ok ? name : refusal(answer));
    changed();
  }, t('uploadAgainOf', { name }));
  const amiss = h('span', { class: 'amiss', hidden: '' });
  const download = h('a', { class: 'button', href: at(record.url), download: record.file, 'aria-label': t('downloadOf', { name }) }, t('download'));
  const remove = button(t('remove1'), () => dialog(t('deleteTitle'), [h('p', {}, name)], { label: t('deleteNow'), press: async () => {
    const answer = await call('DELETE', address);
    changed();
    return refusal(answer);
  } }), t('removeRecordOf', { name }));
  const node = h('li', {}, h('div', {}, h('strong', {}, title), about, amiss), h('div', { class: 'buttons' }, play, download, keep, upload, remove));
  return {
    node,
    /** @param {any} now */
    update: (now) => {
      const running = now.state === 'recording';
      kept = now.keep;
      say(about, [`${clock(now.from_ms)}–${clock(now.from_ms + now.duration_ms)}`, duration(now.duration_ms), size(now.bytes), running ? t('recordingNow') : '', kept ? t('kept') : '', place(now)].filter(Boolean).join(' · '));
      show(remove, !running);
      show(upload, now.upload === 'failed');
      say(amiss, now.upload_failure ? t('uploadFailed', { why: now.upload_failure }) : '');
      show(amiss, now.upload_failure);
      show(download, !running);
      say(keep, t(kept ? 'unpin' : 'pin'));
      keep.setAttribute('aria-label', t(kept ? 'unpinOf' : 'pinOf', { name }));
    },
  };
}
