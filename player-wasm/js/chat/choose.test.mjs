import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Choice } from './choose.js';

const person = (id, more = {}) => [id, { id, role: 'host', stream: `r/${id}`, screen: null, ...more }];
const stage = (more = {}) => ({ live: null, speaker: null, room: null, people: new Map([person('anna'), person('ben')]), ...more });

test('the broadcast wins, at once', () => {
  const choice = new Choice();
  assert.equal(choice.stream(stage(), 0), 'r/anna');
  assert.equal(choice.stream(stage({ live: { stream: 'live/r' }, speaker: 'ben' }), 100), 'live/r');
  assert.equal(choice.stream(stage(), 200), 'r/anna');
});

test('who speaks is shown, for some seconds at least', () => {
  const choice = new Choice();
  choice.stream(stage(), 0);
  assert.equal(choice.stream(stage({ speaker: 'ben' }), 1000), 'r/anna');
  assert.equal(choice.rest(1000), 3000);
  assert.equal(choice.stream(stage({ speaker: 'ben' }), 4000), 'r/ben');
  // Somebody else coughs.
  assert.equal(choice.stream(stage({ speaker: 'anna' }), 5000), 'r/ben');
});

test('who leaves is replaced at once', () => {
  const choice = new Choice();
  choice.stream(stage(), 0);
  assert.equal(choice.stream(stage({ people: new Map([person('ben')]) }), 10), 'r/ben');
  assert.equal(choice.stream(stage({ people: new Map() }), 20), '');
});

test('a screen and the spotlight go before the speaker', () => {
  assert.equal(new Choice().stream(stage({ speaker: 'anna', room: { spotlight: 'ben' } }), 0), 'r/ben');
  const people = new Map([person('anna', { screen: 'r/anna~screen' }), person('ben')]);
  assert.equal(new Choice().stream(stage({ speaker: 'ben', people }), 0), 'r/anna~screen');
});
