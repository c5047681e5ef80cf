// Events of the page that contains a player.

/**
 * Reports events of the page until the signal aborts.
 * @param {AbortSignal} signal
 * @param {{ shown: () => void, leave: () => void, back: () => void, blocked: () => void }} tell  the page is shown or
 * hidden; it goes into the back/forward cache; it comes out of it; its policy does not allow a MediaSource
 */
export function watchPage(signal, tell) {
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
    if (/^media-src/.test(effectiveDirective) && /^blob/.test(blockedURI)) tell.blocked();
  }, { signal });
  document.addEventListener('visibilitychange', tell.shown, { signal });
  addEventListener('pagehide', ({ persisted }) => persisted && tell.leave(), { signal });
  addEventListener('pageshow', ({ persisted }) => persisted && tell.back(), { signal });
}
