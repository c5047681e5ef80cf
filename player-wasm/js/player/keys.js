// Keyboard shortcuts.

import { toggleFullscreen } from './screen.js';

/**
 * Runs the action of a key.
 * @param {import('./skin.js').Skin} skin
 * @param {import('../types/index.js').SrsPlayerElement} host
 * @param {HTMLVideoElement} video
 * @param {KeyboardEvent} event
 */
export function press(skin, host, video, event) {
  if (!host.controls || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  const onButton = event.target instanceof HTMLButtonElement;
  const onLine = event.target === skin.line?.bar;
  const volume = video.muted ? 0 : video.volume;
  /** @type {Record<string, () => unknown>} */
  const keys = {
    // On a button, Space and Enter press it. Elsewhere, Space plays.
    ' ': () => skin.toggle(),
    m: () => void (host.muted = !host.muted),
    f: () => toggleFullscreen(host, video),
    l: () => host.goLive(),
    c: () => skin.toggleCaptions(),
    s: () => skin.showStats(skin.table.hidden === true),
    ArrowUp: () => (onLine ? void (host.currentTime += 5) : skin.setVolume(volume + 0.05)),
    ArrowDown: () => (onLine ? void (host.currentTime -= 5) : skin.setVolume(volume - 0.05)),
    ArrowLeft: () => void (host.currentTime -= 5),
    ArrowRight: () => void (host.currentTime += 5),
  };
  const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || (event.key === ' ' && onButton) || (event.target === skin.volume && event.key.startsWith('Arrow'))) return;
  event.preventDefault();
  void action();
}
