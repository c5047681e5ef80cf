// Actions of an operator on a stream or a client.

import { call, path, refusal } from './api.js';
import { ROOT, announce, dialog, h } from './dom.js';
import { refresh, recordingOf } from './extras.js';
import { t } from './words.js';

/** Minutes for which a client stays out, unless another number is entered. */
const MINUTES = '10';

/**
 * Ends a client's connection, after a question.
 * @param {string} id of the client
 * @param {{ title: string, text?: string, label: string, done: string, keepOut: boolean }} words
 */
function end(id, { title, text, label, done, keepOut }) {
  const check = h('input', { type: 'checkbox', ...(keepOut && { checked: '' }) });
  const minutes = h('input', { type: 'number', min: '1', max: '10080', value: MINUTES, 'aria-label': `${t('keepOut')} (${t('minutes')})` });
  const choice = h('p', { class: 'choice' }, h('label', {}, check, ` ${t('keepOut')} `), minutes, ` ${t('minutes')}`);
  dialog(title, [...(text ? [h('p', {}, text)] : []), choice], { label, press: async () => {
    const answer = await call('DELETE', `api/v1/clients/${id}${check.checked ? `?minutes=${minutes.value}` : ''}`);
    if (answer.ok) announce(done);
    return refusal(answer);
  } });
}

/** Stops a stream's publisher. @param {string} name @param {string} id of its client */
export const stop = (name, id) => end(id, { title: t('stopTitle', { name }), text: t('stopText'), label: t('stopNow'), done: t('stopped', { name }), keepOut: true });

/** Ends a viewer's connection. @param {string} id */
export const kick = (id) => end(id, { title: t('kickTitle'), label: t('kickNow'), done: t('ended'), keepOut: false });

/** Starts or stops the recording of a stream. @param {string} name @param {() => void} changed */
export async function record(name, changed) {
  const answer = recordingOf(name) ? await call('DELETE', `api/v1/records/${path(name)}`)
    : await call('POST', 'api/v1/records', { body: { stream: name } });
  if (!answer.ok) dialog(name, [h('p', {}, refusal(answer))]);
  await refresh('records');
  changed();
}

/** Asks for a target, and sends a stream there. @param {string} name @param {() => void} changed */
export function sendOn(name, changed) {
  const to = h('input', { type: 'text', required: '', autocomplete: 'off', spellcheck: 'false', placeholder: 'rtmps://…', 'aria-describedby': 'send-hint' });
  dialog(t('sendOnOf', { name }), [
    h('label', { class: 'field' }, t('sendTo'), to),
    h('p', { class: 'quiet', id: 'send-hint' }, t('sendToHint')),
  ], { label: t('add'), press: async () => {
    const answer = await call('POST', 'api/v1/forwards', { body: { stream: name, to: to.value.trim() } });
    if (answer.ok) announce(t('added'));
    await refresh('forwards');
    changed();
    return refusal(answer);
  } });
}

/** The player's script, loaded when somebody wants to see something. @type {Promise<void> | null} */
let script = null;

/** A muted player of a stream. @param {string} name @param {string} [url] */
export function player(name, url) {
  script ??= new Promise((done) => {
    const node = h('script', { src: new URL('srs-player.js', ROOT).href });
    node.addEventListener('load', () => done());
    document.head.append(node);
  });
  const { href } = new URL(`${path(name)}.flv`, ROOT);
  // WebSockets do not count among the few connections that a browser has for a host.
  return h('srs-player', { url: url ?? href.replace(/^http/, 'ws'), autoplay: '', muted: '', controls: '', latency: 'low', lang: document.documentElement.lang });
}
