// Texts whose Chinese is fetched when somebody reads it. (The player does the same by itself, in fewer bytes.)

import { isChinese, texts } from './texts.js';

/**
 * @param {Record<string, string>} english
 * @param {() => Promise<Record<string, string>>} load
 */
export function lazyTexts(english, load) {
  /** @type {Record<string, string> | null} */
  let chinese = null;
  /** @type {Promise<boolean> | null} */
  let fetching = null;
  return {
    /** The texts for a language tag such as `zh-CN`: English until those of the language are fetched. */
    words: texts(english, () => chinese),
    /**
     * Fetches the texts of a language. Resolves to whether they came; null where nothing has to be fetched.
     * @param {string} [tag] a language tag such as `zh-CN`; none: the browser's language
     */
    fetched(tag) {
      if (chinese || !isChinese(tag)) return null;
      fetching ??= load().then((table) => Boolean(chinese = table), () => false).finally(() => { fetching = null; });
      return fetching;
    },
  };
}
