// The mixer's texts.

import { lazyTexts } from '../ui/lazy-texts.js';

export const ENGLISH = {
  mixer: 'Browser mix',
  start: 'Start the mix',
  stop: 'Stop',
  idle: '',
  connecting: 'Connecting…',
  reconnecting: 'The connection was interrupted. Reconnecting…',
  live: 'Live: {detail} inputs',
  ended: 'The mix has ended.',
  'sound-suspended': 'The browser holds the audio back: click anywhere on this page.',
  fallback: 'WebRTC does not work here. The mix is sent over a WebSocket instead.',
  'too-many': 'A mix has up to {detail} inputs; further ones are left out.',
  'bad-size': 'A mix cannot have this size: {detail}. Both numbers must be even, and at most 1920×1080.',
  'bad-layout': 'This layout is not possible: {detail}',
  'no-output': 'The mix has no address to go to: the attribute output is missing.',
  insecure: 'A browser mixes only on pages opened over HTTPS: {detail}',
  'bad-url': 'This is not an address to publish to: {detail}',
  'no-h264': 'This browser or the server cannot send H.264, which viewers need. Try Chrome or Edge.',
  'no-webrtc': 'There is no server for WebRTC at this address.',
  busy: 'Somebody is already live under this name. Take another name, or wait until they stop.',
  forbidden: 'The server wants its secret, or a token, from those who publish.',
  network: 'The server cannot be reached. Is it running, and is the address right?',
  ice: 'The media does not get through to the server: a firewall blocks UDP and TCP.',
  http: 'The server answered with an error: {detail}',
  engine: 'The mixer could not be started: {detail}',
};

export const { words, fetched } = lazyTexts(ENGLISH, () => import('./texts-zh.js'));
