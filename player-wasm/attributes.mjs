// Writes everything that lists the attributes of the elements and their shortcodes from one table,
// attributes.json: `node player-wasm/attributes.mjs`, which `cargo xtask fix` runs. The files are committed, so that
// a build needs no Node; attributes.test.mjs fails where one of them differs from the table.
//
// A row of the table:
//   element      `player`, `publisher`, `room`, `rooms` (<srs-room-list>), `chat`, `audience` or `mixer` (the last two have no shortcode)
//   name         of the attribute
//   value        `text`, `switch` (there or not), `number`, `choice` (one of `choices`, whose TypeScript name is `type`)
//                or `token`; without it the shortcode alone has the attribute
//   property     how the element's property behaves, where not as `value` says: `text` (reads as text), `own` (the
//                element's class implements it), `none` (there is none, or HTMLElement has it)
//   description  in Markdown, for docs/ and the types; a row without one shares the description above it
//   shortcode    of the WordPress plugin: `type` (a method of Sanitizer), `default`, `group` (the editor's panel; without
//                it no control), `label`, `help`, and with `integer` `min` and `max`. The renderer writes the value on
//                the element unless `written` is false. `"player"` or `"room"` stands for what the row of that element has

import { readFileSync, writeFileSync } from 'node:fs';

/** Elements whose class works with lists that are made here, and for which the package has a class with options. */
const LISTED = /** @type {const} */ (['player', 'publisher', 'room', 'mixer']);
const ELEMENTS = /** @type {const} */ ([...LISTED, 'chat', 'audience', 'rooms']);
/** The plugin's shortcodes. */
const SHORTCODES = /** @type {const} */ (['player', 'publisher', 'room', 'rooms', 'chat']);
/** What docs/wordpress.md calls them. @type {Record<ShortcodeName, string>} */
const NAMES = { player: 'player', publisher: 'publisher', room: 'room', rooms: 'list of rooms', chat: 'chat' };
const CLASSES = { player: 'SrsPlayer', publisher: 'SrsPublisher', room: 'SrsRoom', mixer: 'SrsMixer', chat: 'SrsChat', audience: 'SrsAudience', rooms: 'SrsRoomList' };
/** The elements' names in pages. */
export const TAGS = { player: 'srs-player', publisher: 'srs-publisher', room: 'srs-room', mixer: 'srs-mixer', chat: 'srs-chat', audience: 'srs-audience', rooms: 'srs-room-list' };
const GENERATED = 'Generated from player-wasm/attributes.json by `cargo xtask fix`. Do not edit.';
const ROOT = new URL('../', import.meta.url);

/**
 * @typedef {'player' | 'publisher' | 'room' | 'mixer' | 'chat' | 'audience' | 'rooms'} ElementName
 * @typedef {Exclude<ElementName, 'audience' | 'mixer'>} ShortcodeName
 * @typedef {{ type: string, default: string | boolean, group?: string, label: string, help: string, written?: boolean, choices?: string[], min?: number, max?: number }} Shortcode
 * @typedef {object} Row of the table
 * @property {ElementName} element
 * @property {string} name
 * @property {'text' | 'switch' | 'number' | 'choice' | 'token'} [value]
 * @property {'text' | 'own' | 'none'} [property]
 * @property {string} [type]
 * @property {string[]} [choices]
 * @property {string} [description]
 * @property {Shortcode | 'player' | 'room'} [shortcode]
 */

/** The table. @returns {Row[]} */
export const table = () => JSON.parse(readFileSync(new URL('attributes.json', import.meta.url), 'utf8'));

/**
 * The files that the table makes, by their path from the repository's root.
 * @param {Row[]} rows
 * @returns {Record<string, string>}
 */
export function files(rows) {
  return {
    ...Object.fromEntries(LISTED.map((element) => [`player-wasm/js/${element}/attributes.js`, lists(rows, element)])),
    'player-wasm/js/types/attributes.d.ts': types(rows),
    'wp-plugin/src/attribute-table.php': php(rows),
    ...Object.fromEntries(LISTED.map((element) => [documentOf(element), between(documentOf(element), 'attributes', markdown(rows, element))])),
    'docs/chat.md': OF_CHAT.reduce(
      (text, element) => replace(text, `attributes of ${TAGS[element]}`, markdown(rows, element)),
      readFileSync(new URL('docs/chat.md', ROOT), 'utf8'),
    ),
    'docs/wordpress.md': SHORTCODES.reduce(
      (text, element) => replace(text, `attributes of the ${NAMES[element]}`, shortcodeMarkdown(rows, element)),
      readFileSync(new URL('docs/wordpress.md', ROOT), 'utf8'),
    ),
  };
}

/** Elements whose attributes are in docs/chat.md. */
const OF_CHAT = /** @type {const} */ (['chat', 'audience', 'rooms']);
/** The document with an element's attributes. @param {typeof LISTED[number]} element */
const documentOf = (element) => `docs/${{ room: 'rooms', mixer: 'browser-mix' }[/** @type {string} */ (element)] ?? element}.md`;

/** The rows that are attributes of an element. @param {Row[]} rows @param {ElementName} element */
export const attributesOf = (rows, element) => rows.filter((row) => row.element === element && row.value);

/** @param {Row} row */
const reflects = ({ value, property }) => property ?? (value === 'choice' ? 'text' : value);

/** The name of an attribute's property. @param {string} name */
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/** The lists that the element's class works with. @param {Row[]} rows @param {ElementName} element */
function lists(rows, element) {
  const own = attributesOf(rows, element);
  const list = (/** @type {string} */ name, /** @type {string} */ why, /** @type {string[]} */ names) =>
    `/** ${why} @type {string[]} */\nexport const ${name} = [${names.map((one) => `'${one}'`).join(', ')}];\n`;
  const reflected = (/** @type {string} */ kind) => own.filter((row) => reflects(row) === kind).map(({ name }) => {
    if (name.includes('-')) throw new Error(`${name}: a property with another name must be the element's own`);
    return name;
  });
  const named = (/** @type {string} */ kind) => own.filter((row) => reflects(row) === kind).map(({ name }) => name);
  return [
    `// ${GENERATED}\n`,
    list('TEXTS', 'Attributes whose property is their text.', reflected('text')),
    list('SWITCHES', 'Attributes whose property says whether they are there.', reflected('switch')),
    list('NUMBERS', 'Attributes whose property is their number.', reflected('number')),
    list('OWN', 'Attributes whose property the class of the element implements.', named('own')),
    list('OTHERS', 'Attributes without a property of ours.', named('none')),
  ].join('\n');
}

/** TypeScript's types. @param {Row[]} rows */
function types(rows) {
  const choices = rows.filter(({ type }) => type).map(({ element, name, type, choices }) =>
    `/** Values of \`${name}\` of an \`<${TAGS[element]}>\`. */\nexport type ${type} = ${union(choices)};\n`);
  const interfaces = ELEMENTS.flatMap((element) => {
    const own = attributesOf(rows, element);
    return [
      `/** Attributes that templates may write on an \`<${TAGS[element]}>\`. */\n`
        + block(`${CLASSES[element]}Attributes`, own.map((row) => `  ${quoted(row.name)}?: ${written(row)};\n`)),
      `/** Properties of an \`<${TAGS[element]}>\` that are attributes too. */\n`
        + block(`${CLASSES[element]}Properties`, own.filter(({ property }) => property !== 'none').map((row) => comment(rows, row) + property(row))),
      ...(LISTED.some((one) => one === element) ? [`/** Attributes for an \`<${TAGS[element]}>\` that \`new ${CLASSES[element]}()\` makes. */\n`
        + block(`${CLASSES[element]}Options`, own.filter(({ name }) => !['url', 'src'].includes(name))
          .map((row) => `${comment(rows, row)}  ${camel(row.name)}?: ${option(row)};\n`))] : []),
    ];
  });
  return [
    `// ${GENERATED}\n`,
    "import type { Token } from './index.js';\n",
    '/** Booleans as templates write them. */\ntype Switch = boolean | \'true\' | \'false\' | \'\';\ntype Size = number | string;\n',
    ...choices, ...interfaces,
  ].join('\n');
}

/** @param {string[] | undefined} choices */
const union = (choices = []) => choices.map((choice) => `'${choice}'`).join(' | ');
/** @param {string} name @param {string[]} lines */
const block = (name, lines) => `export interface ${name} {\n${lines.join('')}}\n`;
/** @param {string} name */
const quoted = (name) => (name.includes('-') ? `'${name}'` : name);

/** A row's type in a template. @param {Row} row */
const written = ({ value, type }) => ({ text: 'string', switch: 'Switch', number: 'Size', choice: `${type} | ''`, token: 'Token' })[value ?? 'text'];

/** A row's type in the options of a class. @param {Row} row */
const option = ({ value, type }) => ({ text: 'string', switch: 'boolean', number: 'number', choice: type, token: 'Token' })[value ?? 'text'];

/** A row's property. @param {Row} row */
function property(row) {
  const name = camel(row.name);
  if (row.value === 'number' && row.property === 'text') return `  get ${name}(): string;\n  set ${name}(value: string | number);\n`;
  return `  ${name}: ${row.value === 'choice' && row.property !== 'own' ? 'string' : option(row)};\n`;
}

/** A row's description as a comment. @param {Row[]} rows @param {Row} row */
function comment(rows, row) {
  const text = description(rows, row).replace(/\[([^\]]*)\]\(([^)#]*)[^)]*\)/g, (_, label, file) => (file ? `docs/${file}` : label)).replace(/\*\*/g, '');
  return `  /** ${text.replace(/^[a-z]/, (first) => first.toUpperCase())}. */\n`;
}

/** A row's description, or the one that it shares. @param {Row[]} rows @param {Row} row */
function description(rows, row) {
  const before = attributesOf(rows, row.element);
  const described = before.slice(0, before.indexOf(row) + 1).reverse().find((one) => one.description);
  if (!described?.description) throw new Error(`${row.element} ${row.name}: no description`);
  return described.description;
}

/** The table of docs/player.md or docs/publisher.md. @param {Row[]} rows @param {ElementName} element */
function markdown(rows, element) {
  /** @type {{ names: string[], text: string }[]} */
  const lines = [];
  for (const row of attributesOf(rows, element)) {
    if (row.description) lines.push({ names: [], text: row.description });
    lines.at(-1)?.names.push(`\`${row.name}\``);
  }
  return ['| attribute | |', '|---|---|', ...lines.map(({ names, text }) => `| ${names.join(', ')} | ${text} |`)].join('\n');
}

/** The shortcode's attributes of an element. @param {Row[]} rows @param {ShortcodeName} element */
function shortcodes(rows, element) {
  return rows.filter((row) => row.element === element && row.shortcode).map((row) => {
    const other = row.shortcode;
    const shared = typeof other === 'string' ? rows.find((one) => one.element === other && one.name === row.name)?.shortcode : other;
    if (!shared || typeof shared === 'string') throw new Error(`${element} ${row.name}: ${other} has no such shortcode attribute`);
    const { type, default: preset, group = '', label, help, min, max, written: toWrite = true } = shared;
    return { name: row.name, type, default: preset, group, label, help, choices: type === 'choice' ? row.choices : undefined, min, max, written: Boolean(row.value) && toWrite };
  });
}

/** A table of docs/wordpress.md. @param {Row[]} rows @param {ShortcodeName} element */
function shortcodeMarkdown(rows, element) {
  const value = (/** @type {ReturnType<typeof shortcodes>[number]} */ { type, choices = [], min, max }) => ({
    address: 'an address', server: '`https://host[:port]`', stream: '`app/name`', room: 'a name', boolean: 'on or off', file: 'an address',
    text: 'words', width: '`640`, `640px` or `50%`', height: '`360` or `360px`', ratio: '`16:9`', classes: 'names',
    names: '`name,name`', integer: `${min} to ${max}`, choice: choices.map((choice) => `\`${choice}\``).join(', '),
  })[type] ?? type;
  const preset = (/** @type {string | boolean} */ is) => (is === '' ? '' : `\`${typeof is === 'string' ? is : is ? 'on' : 'off'}\``);
  const lines = shortcodes(rows, element).map((row) => `| \`${row.name}\` | ${value(row)} | ${preset(row.default)} | ${row.help} |`);
  return ['| attribute | value | default | |', '|---|---|---|---|', ...lines].join('\n');
}

/** The plugin's table. Labels are calls of `__`, where translators' tools find them. @param {Row[]} rows */
export function php(rows) {
  const text = (/** @type {unknown} */ is) => `'${String(is).replace(/[\\']/g, '\\$&')}'`;
  const code = (/** @type {string} */ key, /** @type {unknown} */ is) => {
    if (key === 'label' || key === 'help') return `__( ${text(is)}, 'lianmai' )`;
    if (Array.isArray(is)) return `array( ${is.map(text).join(', ')} )`;
    return typeof is === 'string' ? text(is) : String(is);
  };
  const pad = (/** @type {string} */ name, /** @type {string[]} */ all) => `'${name}'`.padEnd(2 + Math.max(...all.map(({ length }) => length)));
  const elements = SHORTCODES.map((element) => {
    const attributes = shortcodes(rows, element).map(({ name, ...row }) => {
      const entries = Object.entries(row).filter(([, is]) => is !== undefined);
      const keys = entries.map(([key]) => key);
      return `\t\t\t'${name}' => array(\n${entries.map(([key, is]) => `\t\t\t\t${pad(key, keys)} => ${code(key, is)},\n`).join('')}\t\t\t),\n`;
    });
    return `\t\t${pad(element, [...SHORTCODES])} => array(\n${attributes.join('')}\t\t),\n`;
  });
  return `<?php
/**
 * The attributes of the shortcodes and blocks. ${GENERATED}
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

return static function (): array {
\treturn array(
${elements.join('')}\t);
};
`;
}

/** A document with a new text between two marks. @param {string} path @param {string} mark @param {string} text */
const between = (path, mark, text) => replace(readFileSync(new URL(path, ROOT), 'utf8'), mark, text);

/** @param {string} document @param {string} mark @param {string} text */
function replace(document, mark, text) {
  const begin = `<!-- ${mark} -->\n`;
  const start = document.indexOf(begin);
  const end = document.indexOf('\n<!-- end -->', start);
  if (start < 0 || end < 0) throw new Error(`the document has no marks "${mark}"`);
  return document.slice(0, start + begin.length) + text + document.slice(end);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [, , option, path] = process.argv;
  if (option === '--php') {
    // Prints the plugin's table of another file: the plugin's own test adds an attribute with it.
    process.stdout.write(php(JSON.parse(readFileSync(path, 'utf8'))));
  } else {
    for (const [name, content] of Object.entries(files(table()))) writeFileSync(new URL(name, ROOT), content);
  }
}
