// Generated from player-wasm/attributes.json by `cargo xtask fix`. Do not edit.

/** Attributes whose property is their text. @type {string[]} */
export const TEXTS = ['protocol', 'latency', 'preload', 'retry', 'poster', 'offline', 'captions', 'ratio', 'danmaku', 'base'];

/** Attributes whose property says whether they are there. @type {string[]} */
export const SWITCHES = ['autoplay', 'controls', 'loop', 'viewers'];

/** Attributes whose property is their number. @type {string[]} */
export const NUMBERS = ['width', 'height'];

/** Attributes whose property the class of the element implements. @type {string[]} */
export const OWN = ['url', 'src', 'muted', 'token'];

/** Attributes without a property of ours. @type {string[]} */
export const OTHERS = ['stats', 'title', 'lang'];
