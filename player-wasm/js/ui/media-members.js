// Defines members of <srs-player> that forward to its <video>, and properties that reflect attributes.

/** Events of the <video> that the element dispatches too; `error` comes from the player itself. */
export const MEDIA_EVENTS = [
  'abort', 'canplay', 'canplaythrough', 'durationchange', 'emptied', 'ended', 'enterpictureinpicture',
  'leavepictureinpicture', 'loadeddata', 'loadedmetadata', 'loadstart', 'pause', 'play', 'playing', 'progress',
  'ratechange', 'resize', 'seeked', 'seeking', 'stalled', 'suspend', 'timeupdate', 'volumechange', 'waiting',
];

const READ = [
  'buffered', 'currentSrc', 'duration', 'ended', 'networkState', 'paused', 'played', 'readyState', 'seekable', 'seeking',
  'videoHeight', 'videoWidth',
];
const WRITE = ['currentTime', 'disablePictureInPicture', 'playbackRate', 'preservesPitch', 'volume'];
const CALL = [
  'canPlayType', 'cancelVideoFrameCallback', 'captureStream', 'getVideoPlaybackQuality', 'requestPictureInPicture',
  'requestVideoFrameCallback',
];

/**
 * Defines the members that forward to the video.
 * @param {any} prototype
 */
export function forward(prototype) {
  for (const name of [...READ, ...WRITE]) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get() { return this.video[name]; },
      ...(WRITE.includes(name) && { set(/** @type {unknown} */ value) { this.video[name] = value; } }),
    });
  }
  for (const name of CALL) {
    prototype[name] = /** @this {{ video: any }} */ function call(/** @type {unknown[]} */ ...args) {
      return this.video[name](...args);
    };
  }
}

/**
 * Defines properties that reflect attributes.
 * @param {any} prototype
 * @param {string[]} texts
 * @param {string[]} switches
 * @param {string[]} numbers in CSS pixels
 */
export function reflect(prototype, texts, switches, numbers) {
  /** @type {(names: string[], get: (self: Element, name: string) => unknown, set: (self: Element, name: string, value: any) => void) => void} */
  const define = (names, get, set) => {
    for (const name of names) {
      Object.defineProperty(prototype, name, {
        configurable: true,
        enumerable: true,
        get() { return get(this, name); },
        set(value) { set(this, name, value); },
      });
    }
  };
  const write = (/** @type {Element} */ self, /** @type {string} */ name, /** @type {unknown} */ value) =>
    self.setAttribute(name, String(value));
  define(texts, (self, name) => self.getAttribute(name) ?? '', write);
  define(switches, (self, name) => self.hasAttribute(name), (self, name, value) => self.toggleAttribute(name, Boolean(value)));
  define(numbers, (self, name) => Number(self.getAttribute(name)) || 0, write);
}
