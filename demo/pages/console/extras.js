// Lists of the API that change seldom, asked every few seconds while the page is seen: mixes, rooms, recordings, targets.

import { ROOT } from '../assets/site.js';
import { call, isAbsent } from './api.js';

/** The lists by name; not defined: not known yet; `null`: this gateway has none. @type {Record<string, any[] | null | undefined>} */
export const lists = { mixes: undefined, rooms: undefined, records: undefined, forwards: undefined };
const EVERY_MS = 5000;

/** @param {string} name */
export async function refresh(name) {
  if (lists[name] === null) return;
  const answer = await call('GET', `api/v1/${name}${name === 'records' ? '?count=1' : ''}`);
  // Of the recordings, only those that run now matter here.
  const list = name === 'records' ? answer.data.streams : answer.data[name];
  if (isAbsent(answer)) lists[name] = null;
  else if (answer.ok && Array.isArray(list)) lists[name] = list;
}

/** Asks for all lists now and again. @param {() => void} changed @returns {() => void} ends it */
export function follow(changed) {
  const ask = async () => {
    if (document.hidden) return;
    await Promise.all(Object.keys(lists).map(refresh));
    changed();
  };
  void ask();
  const timer = setInterval(ask, EVERY_MS);
  return () => clearInterval(timer);
}

/** The recording of a stream that runs now. @param {string} name */
export const recordingOf = (name) => lists.records?.find(({ stream }) => stream === name);

/** The targets to which a stream is sent. @param {string} name */
export const targetsOf = (name) => (lists.forwards ?? []).flatMap((forward) => (forward.targets ?? [])
  .filter((/** @type {any} */ target) => target.stream === name)
  .map((/** @type {any} */ target) => ({ ...target, to: forward.to, id: forward.id, rule: forward.stream })));

/** The mix whose output is this stream. @param {string} name */
export const mixOf = (name) => lists.mixes?.find((mix) => mix.output === name);

/** Whether the gateway makes pictures of streams, and how often that was asked: a new stream has none yet. */
let pictures = false;
let asked = 0;
const MAX_ASKED = 5;

/** Finds out whether streams have pictures. @param {string} name a stream that is live */
export async function hasPictures(name) {
  if (pictures || asked >= MAX_ASKED) return pictures;
  asked += 1;
  const response = await fetch(new URL(`${name.split('/').map(encodeURIComponent).join('/')}.jpg`, ROOT), { cache: 'no-store' }).catch(() => null);
  pictures = response?.headers.get('content-type') === 'image/jpeg';
  return pictures;
}
