// Lock screen, media keys and headsets. Fetched when a player with audible audio plays.

/** The element that the system controls now. @type {import('../types/index.js').SrsPlayerElement | null} */
let owner = null;
/** The metadata that this module has set; a page may have its own. @type {MediaMetadata | null} */
let shown = null;

const ACTIONS = /** @type {const} */ (['play', 'pause', 'stop', 'seekbackward', 'seekforward', 'seekto']);

/**
 * Reports the new state of an element to the system. An audible player replaces the previous one. Metadata that the
 * page has set is kept.
 * @param {import('../types/index.js').SrsPlayerElement} host
 */
export function present(host) {
  const session = navigator.mediaSession;
  const { state } = host;
  const plays = state === 'live' || state === 'buffering';
  if (!session || (session.metadata && session.metadata !== shown)) return;
  if (owner !== host && !(plays && !host.muted)) return;
  if (state === 'idle' || state === 'error' || state === 'ended') return release(session);
  if (owner !== host) {
    owner = host;
    control(session, host);
  }
  const title = host.title || document.title;
  if (shown?.title !== title || session.metadata !== shown) {
    const artwork = host.poster ? [{ src: new URL(host.poster, document.baseURI).href }] : [];
    session.metadata = shown = new MediaMetadata({ title, artwork });
  }
  session.playbackState = state === 'paused' ? 'paused' : 'playing';
  const { duration, currentTime: position } = host;
  // A stream without an end has no position.
  session.setPositionState?.(duration > 0 && duration < Infinity ? { duration, position: Math.min(position, duration) } : undefined);
}

/** @param {MediaSession} session @param {import('../types/index.js').SrsPlayerElement} host */
function control(session, host) {
  const jump = (/** @type {number} */ time) => { if (host.duration < Infinity) host.currentTime = Math.max(0, time); };
  const work = {
    play: () => void host.play().catch(() => {}),
    pause: () => host.pause(),
    stop: () => host.pause(),
    seekbackward: (/** @type {MediaSessionActionDetails} */ { seekOffset }) => jump(host.currentTime - (seekOffset || 10)),
    seekforward: (/** @type {MediaSessionActionDetails} */ { seekOffset }) => jump(host.currentTime + (seekOffset || 10)),
    seekto: (/** @type {MediaSessionActionDetails} */ { seekTime }) => jump(seekTime ?? 0),
  };
  for (const action of ACTIONS) handle(session, action, work[action]);
}

/** @param {MediaSession} session */
function release(session) {
  owner = shown = null;
  session.metadata = null;
  session.playbackState = 'none';
  for (const action of ACTIONS) handle(session, action, null);
}

/** @param {MediaSession} session @param {MediaSessionAction} action @param {MediaSessionActionHandler | null} work */
function handle(session, action, work) {
  try {
    session.setActionHandler(action, work);
  } catch {
    // This browser does not support the action.
  }
}
