// Generated from player-wasm/attributes.json by `cargo xtask fix`. Do not edit.

/** Attributes whose property is their text. @type {string[]} */
export const TEXTS = ['output', 'server', 'size', 'background', 'retry', 'base'];

/** Attributes whose property says whether they are there. @type {string[]} */
export const SWITCHES = ['names'];

/** Attributes whose property is their number. @type {string[]} */
export const NUMBERS = [];

/** Attributes whose property the class of the element implements. @type {string[]} */
export const OWN = ['inputs', 'layout', 'rate', 'bitrate', 'margin', 'gap', 'token'];

/** Attributes without a property of ours. @type {string[]} */
export const OTHERS = ['lang'];
