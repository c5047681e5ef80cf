// What only some pages want, fetched when it is wanted: captions, the number of viewers, flying messages, and what the
// system shows of the player.

import { words } from './texts.js';

/** A sentence in the viewer's language if there is one, else as the engine put it. @param {string} language @param {string} code @param {string} [message] */
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
  /** Captions, the number of viewers, and flying messages. @type {Promise<import('./extras.js').Extras> | null} */
  let extras = null;
  /** What the system shows of the player. @type {typeof import('./media-session.js') | null} */
  let session = null;

  /** Shows what the attributes ask for, as long as the stream plays. */
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

  /** Tells the system what plays, once it is heard. */
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
