// Layouts, and which stream each tile plays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columns, pictureOf, place } from './layout.js';
import { Network } from './network.js';

const person = (id, more = {}) => ({ id, name: id, role: 'host', stream: `r/${id}`, small: `r/${id}~s`, screen: null, audio: true, video: true, quality: null, hand: false, invited: false, away: false, encoder: false, ...more });
const people = ['me', 'ann', 'ben', 'cleo'].map((id) => person(id));
const shown = (scene) => place({ people, layout: 'grid', spotlight: null, speaker: null, me: 'me', ...scene }).map(({ id, large }) => (large ? `${id}!` : id)).join(' ');

test('a grid has everybody; a speaker, two side by side and a screen are large', () => {
  assert.equal(shown({}), 'me ann ben cleo');
  assert.equal(shown({ layout: 'speaker' }), 'ann! me ben cleo');
  assert.equal(shown({ layout: 'speaker', speaker: 'ben' }), 'ben! me ann cleo');
  assert.equal(shown({ layout: 'speaker', speaker: 'me' }), 'ann! me ben cleo');
  assert.equal(shown({ layout: 'speaker', speaker: 'ben', spotlight: 'me' }), 'me! ann ben cleo');
  assert.equal(shown({ layout: 'speaker', spotlight: 'gone' }), 'ann! me ben cleo');
  assert.equal(shown({ layout: 'side', speaker: 'cleo' }), 'cleo! ann! me ben');
  assert.equal(shown({ layout: 'side', people: people.slice(0, 2) }), 'ann! me!');
  assert.equal(shown({ layout: 'speaker', people: people.slice(0, 1) }), 'me');
  const sharing = [people[0], person('ann', { screen: 'r/ann~screen' })];
  assert.equal(shown({ layout: 'screen', people: sharing }), 'ann~screen! me ann');
  assert.equal(shown({ layout: 'grid', people: sharing }), 'ann~screen me ann');
  assert.equal(shown({ layout: 'screen' }), 'ann! me ben cleo');
});

test('small tiles play small streams, and less where the network is poor or nobody looks', () => {
  const picture = (tile, more, who = people[1]) => pictureOf({ id: who.id, person: who.id, large: false, screen: false, ...tile }, who, { visible: true, others: 5, network: 'good', ...more });
  assert.equal(picture({}, {}), 'small');
  assert.equal(picture({ large: true }, {}), 'full');
  assert.equal(picture({}, { others: 2 }), 'full');
  assert.equal(picture({ large: true }, { network: 'poor' }), 'small');
  assert.equal(picture({ large: true }, { network: 'bad' }), 'none');
  assert.equal(picture({ large: true }, { visible: false }), 'none');
  assert.equal(picture({}, { full: true }), 'full');
  assert.equal(picture({}, {}, person('dark', { video: false })), 'none');
  assert.equal(picture({}, {}, person('obs', { small: null, video: false, encoder: true })), 'full');
  assert.equal(picture({ screen: true }, { network: 'bad' }, person('s', { screen: 'r/s~screen' })), 'screen');
});

test('tiles are as large as the stage allows', () => {
  const on = (width, height) => [1, 2, 3, 4, 5, 9, 10].map((count) => columns(count, width, height));
  assert.deepEqual(on(1280, 640), [1, 2, 2, 2, 3, 3, 4]);
  assert.deepEqual(on(390, 700), [1, 1, 1, 1, 2, 2, 2]);
});

test('the network becomes worse after some bad seconds, and better only after more good ones', () => {
  const network = new Network();
  const take = (times, loss, rtt = 0.05) => Array.from({ length: times }, () => network.measure({ loss, rtt })).filter(Boolean).length && network.quality;
  assert.equal(take(2, 0.3), 0);
  assert.equal(take(1, 0.3), 'poor');
  assert.equal(take(3, 0.02, 2), 'bad');
  assert.equal(take(7, 0), 0);
  assert.equal(take(1, 0), 'poor');
  assert.equal(take(5, 0.1), 0);
  assert.equal(take(8, 0), 'good');
});
