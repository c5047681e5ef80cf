// What is generated from the table of attributes.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { attributesOf, files, table, TAGS } from './attributes.mjs';

const root = new URL('../', import.meta.url);
const LIVE = 'player-wasm/js/';

/** An attribute that nobody has, of each kind that a property may have. */
const FAKE = /** @type {const} */ (['text', 'switch', 'number']).map((value) => ({
  element: /** @type {const} */ ('player'), name: `fake${value}`, value, description: `a fake ${value}`,
  shortcode: { type: value === 'switch' ? 'boolean' : 'text', default: value === 'switch' ? false : '', group: 'play', label: 'Fake', help: `Fakes a ${value}.` },
}));
const faked = files([...table(), ...FAKE]);
const folder = mkdtempSync(join(tmpdir(), 'lianmai-attributes-'));
after(() => rmSync(folder, { recursive: true }));

test('the generated files are those of the table: `cargo xtask fix` writes them', () => {
  for (const [name, content] of Object.entries(files(table()))) assert.equal(readFileSync(new URL(name, root), 'utf8'), content, name);
});

test('each attribute stands in the table once, and its choices are those of its type', () => {
  const names = table().map(({ element, name }) => `${element} ${name}`);
  assert.deepEqual(names, [...new Set(names)]);
  for (const { name, value, type, choices } of table()) {
    assert.deepEqual([value === 'choice', value === 'choice'], [Boolean(type), Boolean(choices?.length)], name);
  }
});

test('a new attribute is observed, and its property reflects it', async () => {
  cpSync(new URL(LIVE, root), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const [name, content] of Object.entries(faked)) if (name.startsWith(LIVE)) writeFileSync(join(folder, name.slice(LIVE.length)), content);
  const { SrsPlayerElement } = await import(pathToFileURL(join(folder, 'player/element.js')).href);
  /** @type {Map<string, string>} */
  const attributes = new Map();
  const element = Object.create(SrsPlayerElement.prototype, Object.getOwnPropertyDescriptors({
    getAttribute: (/** @type {string} */ name) => attributes.get(name) ?? null,
    setAttribute: (/** @type {string} */ name, /** @type {string} */ value) => void attributes.set(name, value),
    hasAttribute: (/** @type {string} */ name) => attributes.has(name),
    toggleAttribute: (/** @type {string} */ name, /** @type {boolean} */ on) => void (on ? attributes.set(name, '') : attributes.delete(name)),
  }));
  for (const { name } of FAKE) assert.ok(SrsPlayerElement.observedAttributes.includes(name), name);
  assert.deepEqual([element.faketext, element.fakeswitch, element.fakenumber], ['', false, 0]);
  Object.assign(element, { faketext: 'x', fakeswitch: true, fakenumber: 7 });
  assert.deepEqual(Object.fromEntries(attributes), { faketext: 'x', fakeswitch: '', fakenumber: '7' });
  assert.deepEqual([element.faketext, element.fakeswitch, element.fakenumber], ['x', true, 7]);
});

test('a new attribute is in the types of templates, properties and options', () => {
  const types = faked['player-wasm/js/types/attributes.d.ts'];
  const body = (/** @type {string} */ name) => types.split(`export interface ${name} {\n`)[1].split('\n}')[0];
  for (const line of ['faketext?: string', 'fakeswitch?: Switch', 'fakenumber?: Size']) assert.ok(body('SrsPlayerAttributes').includes(`  ${line};`), line);
  for (const line of ['faketext: string', 'fakeswitch: boolean', 'fakenumber: number']) {
    assert.ok(body('SrsPlayerProperties').includes(`*/\n  ${line};`), line);
    assert.ok(body('SrsPlayerOptions').includes(`*/\n  ${line.replace(':', '?:')};`), line);
  }
  assert.ok(body('SrsPlayerProperties').includes('/** A fake text. */'));
  assert.ok(!body('SrsPublisherAttributes').includes('fake'));
});

test('a new attribute is in the documentation of the player and of the plugin', () => {
  assert.ok(faked['docs/player.md'].includes('\n| `faketext` | a fake text |\n'));
  assert.ok(faked['docs/wordpress.md'].includes('\n| `fakeswitch` | on or off | `off` | Fakes a switch. |\n'));
  assert.ok(!faked['docs/publisher.md'].includes('fake'));
});

test('elements without generated lists observe the attributes of the table, and all elements are in the types', async () => {
  const { SrsAudienceElement } = await import('./js/chat/audience.js');
  const { SrsChatElement } = await import('./js/chat/element.js');
  const { SrsRoomListElement } = await import('./js/chat/room-list.js');
  const classes = /** @type {const} */ ([['chat', SrsChatElement], ['audience', SrsAudienceElement], ['rooms', SrsRoomListElement]]);
  for (const [element, { observedAttributes }] of classes) {
    assert.deepEqual([...observedAttributes].sort(), attributesOf(table(), element).map(({ name }) => name).sort(), element);
  }
  const react = readFileSync(new URL('js/types/react.d.ts', import.meta.url), 'utf8');
  const vue = readFileSync(new URL('js/types/vue.d.ts', import.meta.url), 'utf8');
  for (const tag of Object.values(TAGS)) assert.ok(react.includes(`'${tag}': Props<`) && vue.includes(`'${tag}': DefineComponent<`), tag);
});
