// The player's texts.

import { isChinese, texts } from '../ui/texts.js';

/** @type {Record<string, string>} */
const english = {
  player: 'Video player',
  play: 'Play',
  pause: 'Pause',
  mute: 'Mute',
  unmute: 'Unmute',
  volume: 'Volume',
  live: 'Live',
  goLive: 'Go to live',
  position: 'Position',
  behind: '{detail} behind live',
  fullscreen: 'Full screen',
  exitFullscreen: 'Leave full screen',
  pip: 'Picture in picture',
  captions: 'Captions',
  stats: 'Statistics',
  sound: 'Tap for sound',
  retry: 'Try again',
  viewers: '{detail} watching',
  connecting: 'Connecting…',
  waiting: 'Waiting for the stream…',
  buffering: 'Buffering…',
  reconnecting: 'Trying again…',
  ended: 'The stream has ended.',
  paused: 'Paused',
  // Errors, by code. The engine has English sentences of its own.
  'bad-url': 'This is not an address of a stream: {detail}',
  'unsupported-protocol': 'Browsers cannot play {detail} addresses.',
  credentials: 'Browsers do not allow a user name and password in an address. Use the token instead.',
  instead: 'The same stream for a browser: {detail}',
  engine: 'The player could not be loaded.',
  'no-captions': 'The captions could not be loaded.',
  // Statistics.
  latency: 'Latency',
  buffer: 'Buffer',
  bitrate: 'Bit rate',
  dropped: 'Dropped / decoded',
  protocol: 'Protocol',
  size: 'Picture',
  fps: 'Frames per second',
  codecs: 'Codecs',
  rtt: 'Round trip / loss',
  rate: 'Speed',
  stalls: 'Stalls',
  reconnects: 'Reconnects',
};

/** The texts in Chinese, once they were fetched. @type {Record<string, string> | null} */
let chinese = null;
/** @type {Promise<boolean> | null} */
let fetching = null;

/**
 * Fetches the texts of a language. Resolves to whether they came; null where nothing has to be fetched.
 * @param {string} [tag] a language tag such as `zh-CN`; none: the browser's language
 */
export function fetched(tag) {
  if (chinese || !isChinese(tag)) return null;
  fetching ??= import('./texts-zh.js').then((module) => Boolean(chinese = module.zh), () => false)
    .finally(() => { fetching = null; });
  return fetching;
}

/** The player's texts for a language tag such as `zh-CN`: English until those of the language are {@link fetched}. */
export const words = texts(english, () => chinese);
