// Texts in the language of an element. English and Chinese; the `lang` attribute wins over the browser's language.

/**
 * Whether a reader of this language tag, or without one the browser's user, reads Chinese.
 * @param {string} [tag]
 */
export const isChinese = (tag) => /^zh\b/i.test(tag || globalThis.navigator?.language || '');

/**
 * Texts by language tag: a function from a text's name, or an error's code, to the text. For a name that it does not
 * know the text is empty.
 * @param {Record<string, string>} english
 * @param {() => Record<string, string> | null} chinese  null while they are not there
 */
export const texts = (english, chinese) => (/** @type {string | undefined} */ tag = '') => {
  const table = isChinese(tag) && chinese() || english;
  return (/** @type {string} */ name, detail = '') => (table[name] ?? '').replace('{detail}', () => detail);
};
