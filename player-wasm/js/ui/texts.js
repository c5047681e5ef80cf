// Texts in the language of an element. English and Chinese; the `lang` attribute wins over the browser's language.

/**
 * Texts by language tag: a function from a text's name, or an error's code, to the text. For a name that it does not
 * know the text is empty.
 * @param {Record<string, string>} english
 * @param {Record<string, string>} chinese
 */
export const texts = (english, chinese) => (/** @type {string | undefined} */ tag = '') => {
  const table = /^zh\b/i.test(tag || globalThis.navigator?.language || '') ? chinese : english;
  return (/** @type {string} */ name, detail = '') => (table[name] ?? '').replace('{detail}', () => detail);
};
