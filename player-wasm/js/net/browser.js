// Detects browsers whose differences no feature test shows.

/**
 * WebKit with GStreamer (WebKitGTK, WPE): its web process deadlocks while `playbackRate` changes. Apple's own
 * WebKit, which Safari and all browsers on iOS are made of, has AirPlay.
 */
export const isGstreamerWebKit = () =>
  /^Apple/.test(globalThis.navigator?.vendor ?? '') && !('WebKitPlaybackTargetAvailabilityEvent' in globalThis);

/** Firefox: its ICE agent pairs none of its candidates with a loopback address. */
const isFirefox = () => 'mozInnerScreenX' in globalThis;

/** Returns whether an answer has loopback candidates only and this browser cannot reach them. @param {string} sdp */
export function onlyLoopback(sdp) {
  const addresses = [...sdp.matchAll(/^a=candidate:(?:\S+ ){4}(\S+)/gm)].map(([, address = '']) => address);
  return isFirefox() && addresses.length > 0 && addresses.every((address) => /^127\.|^::1$/.test(address));
}
