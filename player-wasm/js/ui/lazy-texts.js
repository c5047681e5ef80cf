// Texts whose Chinese translation is fetched when it is needed.

import { isChinese, texts } from './texts.js';

/**
 * Returns the functions that give and fetch the texts.
 * @param {Record<string, string>} english
 * @param {() => Promise<{ CHINESE: Record<string, string> }>} load imports the module with the Chinese texts
 */
export function lazyTexts(english, load) {
  /** @type {Record<string, string> | null} */
  let chinese = null;
  /** @type {Promise<boolean> | null} */
  let fetching = null;
  return {
    /** Returns the texts for a language tag such as `zh-CN`: English until the Chinese texts are fetched. */
    words: texts(english, () => chinese),
    /**
     * Fetches the texts of a language. Resolves to whether they arrived. Returns null if no fetch is needed.
     * @param {string} [tag] a language tag such as `zh-CN`; none for the browser's language
     */
    fetched(tag) {
      if (chinese || !isChinese(tag)) return null;
      // After a failure, the next call tries again.
      return fetching ??= load().then((module) => Boolean(chinese = module.CHINESE), () => Boolean(fetching = null));
    },
  };
}
