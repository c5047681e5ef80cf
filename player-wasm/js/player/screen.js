// Full screen and picture in picture.

/** @typedef {import('../types/index.js').SrsPlayerElement} Host */

/** @param {Host} host */
export function togglePictureInPicture(host) {
  const page = host.ownerDocument;
  const change = page.pictureInPictureElement ? page.exitPictureInPicture() : host.requestPictureInPicture();
  return change.catch(() => {});
}

/** @param {Host} host @param {HTMLVideoElement} video */
export function toggleFullscreen(host, video) {
  const page = host.ownerDocument;
  if (page.fullscreenElement === host) return page.exitFullscreen();
  if ('requestFullscreen' in host) return host.requestFullscreen().catch(() => {});
  // An iPhone shows only the video itself full screen.
  return video.webkitEnterFullscreen?.();
}
