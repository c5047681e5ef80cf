// Texts in the language of an element: English or Chinese. The `lang` attribute takes precedence over the browser's
// language.

/**
 * Returns whether a language tag is Chinese. Without a tag, uses the browser's language.
 * @param {string} [tag]
 */
export const isChinese = (tag) => /^zh\b/i.test(tag || globalThis.navigator?.language || '');

/**
 * Returns a function from a language tag to a function from a text's name, or an error's code, to the text. The text of
 * an unknown name is empty.
 * @param {Record<string, string>} english
 * @param {() => Record<string, string> | null} chinese  null while they are not fetched
 */
export const texts = (english, chinese) => (/** @type {string | undefined} */ tag = '') => {
  const table = isChinese(tag) && chinese() || english;
  return (/** @type {string} */ name, detail = '') => (table[name] ?? '').replace('{detail}', () => detail);
};
