// The player's texts.

import { lazyTexts } from '../ui/lazy-texts.js';

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

export const { words, fetched } = lazyTexts(english, () => import('./texts-zh.js'));
