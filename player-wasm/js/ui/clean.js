// Text of strangers, as it is shown.

/** Characters of a chat message at most; the server counts code points too. */
export const MAX_TEXT = 300;
/** Characters of a name at most. */
export const MAX_NAME = 40;

/**
 * Characters that are not shown: controls, embeddings, overrides and isolates of the writing direction (they would
 * reorder what stands beside the text), line and paragraph separators, and the byte order mark.
 */
const HIDDEN = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]+/gu;
/** More combining marks on one letter than any script needs: they would cover the lines above and below. */
const PILED = /(\p{M}{4})\p{M}+/gu;

/** A text without characters that are not shown or that change how other text is shown. @param {unknown} text */
export const clean = (text) => String(text ?? '').replace(HIDDEN, ' ').replace(PILED, '$1').trim();

/** The number of characters as the server counts them. @param {string} text */
export const lengthOf = (text) => [...text].length;

/** The first characters of a text. @param {string} text @param {number} count */
export const cut = (text, count) => [...text].slice(0, count).join('');

/** A hue for a participant, always the same. @param {string} id */
export function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 65521;
  // Similar ids get hues that are far from each other: steps of the golden angle.
  return Math.round(hash * 137.508) % 360;
}
