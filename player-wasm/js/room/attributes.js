// Generated from player-wasm/attributes.json by `cargo xtask fix`. Do not edit.

/** Attributes whose property is their text. @type {string[]} */
export const TEXTS = ['server', 'name', 'layout'];

/** Attributes whose property says whether they are there. @type {string[]} */
export const SWITCHES = ['scene', 'names'];

/** Attributes whose property is their number. @type {string[]} */
export const NUMBERS = [];

/** Attributes whose property the class of the element implements. @type {string[]} */
export const OWN = ['room', 'invite', 'token'];

/** Attributes without a property of ours. @type {string[]} */
export const OTHERS = ['as', 'secret', 'lang'];
