// Fetches parts that only some pages use: captions, the number of viewers, flying messages, and the media session of
// the system.

import { words } from './texts.js';

/** Returns the sentence for a code in the viewer's language, or the engine's English text if there is none. @param {string} language @param {string} code @param {string} [message] */
export function sentence(language, code, message = code) {
  const known = words(language)(code);
  return code === 'engine' && known ? `${known} (${message})` : known || message;
}

/**
 * Returns the functions that fetch these parts of a player and show them.
 * @param {import('../types/index.js').SrsPlayerElement} host
 * @param {HTMLVideoElement} video
 * @param {import('./skin.js').Skin} skin
 * @param {() => boolean} plays whether the stream plays
 */
export function extensions(host, video, skin, plays) {
  /** The module for captions, the number of viewers and flying messages. @type {Promise<import('./extras.js').Extras> | null} */
  let extras = null;
  /** The module for the media session of the system. @type {typeof import('./media-session.js') | null} */
  let session = null;

  /** Shows the parts that the attributes ask for, while the stream plays. */
  const show = () => {
    const playing = plays();
    const captions = playing ? host.getAttribute('captions') ?? '' : '';
    const viewers = playing && host.hasAttribute('viewers') ? host.url : '';
    const room = playing ? host.getAttribute('danmaku') ?? '' : '';
    if (!extras && !captions && !viewers && !room) return;
    extras ??= import('./extras.js').then(({ Extras }) => new Extras(video, {
      captions: () => skin.render(),
      viewers: (count) => skin.showViewers(count),
      failed: (code, message) => {
        host.dispatchEvent(new CustomEvent('warning', { detail: { code, message: sentence(host.lang, code, message) } }));
      },
    }));
    extras.then((extras) => {
      if (playing || !host.url) void extras.captions(captions && new URL(captions, document.baseURI).href, words(host.lang)('captions'));
      extras.watch(viewers);
      extras.fly(room, host.url);
    }, () => { extras = null; });
  };

  /** Reports the stream to the system when its audio is audible. */
  const present = () => {
    if (session) return session.present(host);
    if (host.state !== 'live' || host.muted || !navigator.mediaSession) return undefined;
    import('./media-session.js').then((module) => {
      session = module;
      module.present(host);
    }, () => {});
    return undefined;
  };

  return { show, present };
}
