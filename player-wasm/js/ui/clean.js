// Cleans text of strangers for display.

/** Maximum length of a chat message, in code points as on the server. */
export const MAX_TEXT = 300;
/** Maximum length of a name, in code points. */
export const MAX_NAME = 40;

/**
 * Characters that are removed: controls, embeddings, overrides and isolates of the writing direction (they would
 * reorder what stands beside the text), line and paragraph separators, and the byte order mark.
 */
const HIDDEN = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]+/gu;
/** Matches more combining marks on a letter than any script needs: they would cover the lines above and below. */
const PILED = /(\p{M}{4})\p{M}+/gu;

/** Returns the text without invisible characters and characters that change how other text is shown. @param {unknown} text */
export const clean = (text) => String(text ?? '').replace(HIDDEN, ' ').replace(PILED, '$1').trim();

/** Returns the number of code points, as the server counts them. @param {string} text */
export const lengthOf = (text) => [...text].length;

/** Returns the first characters of a text. @param {string} text @param {number} count */
export const cut = (text, count) => [...text].slice(0, count).join('');

/** Returns the hue of a participant, always the same for an id. @param {string} id */
export function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 65521;
  // Steps of the golden angle: similar ids get very different hues.
  return Math.round(hash * 137.508) % 360;
}
