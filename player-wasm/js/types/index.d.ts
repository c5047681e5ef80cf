// Types of the npm package `lianmai`.

import type {
  Latency, Protocol, PublisherProtocol, PublisherSource, SrsPlayerOptions, SrsPlayerProperties, SrsPublisherOptions,
  SrsPublisherProperties,
} from './attributes.js';

export type { Latency, Protocol, PublisherProtocol, PublisherSource, SrsPlayerOptions, SrsPublisherOptions };

/**
 * What a player is doing: `waiting` is connected, and nobody publishes yet; `buffering` has run out of
 * media; `error` has given up.
 */
export type PlayerState =
  | 'idle' | 'connecting' | 'waiting' | 'live' | 'buffering' | 'paused' | 'reconnecting' | 'ended' | 'error';

/**
 * What shows a server that one may play or publish: a token or secret, or a function that is asked for a new one
 * before every attempt to connect (one that reached nobody is good for 40 s). An error of the function with the
 * `code` `forbidden` becomes the state `error` with its message; after any other one (`network`, `http`, `not-found`,
 * `busy`, or without a code) it is asked again.
 */
export type Token = string | TokenSource;
/** Asked for a new token before every attempt. */
export interface TokenSource {
  (): string | Promise<string>;
}

/** What went wrong: a code to act on, and a sentence to show. */
export interface PlayerError {
  /** `not-found`, `forbidden`, `network`, `codec-unsupported`, …: docs/player.md has them all. */
  readonly code: string;
  /** A sentence in the viewer's language (English from {@link Player}). */
  readonly message: string;
}

/** Figures of the moment. Times are in seconds. */
export interface Stats {
  /** Between the newest playable moment and the playhead; with WebRTC, from the server to the eye. */
  latency: number;
  /** Media ahead of the playhead. */
  buffer: number;
  /** Bits per second received. */
  bitrate: number;
  /** Video frames received per second. */
  fps: number;
  /** Video frames that were decoded too late to be shown. */
  dropped: number;
  /** Video frames decoded. */
  decoded: number;
  /** `webrtc`, `http-flv`, `ws-flv`, `hls`, `http-ts`, `native`; empty before the first figures. */
  protocol: string;
  /** Of the picture, in pixels. */
  width: number;
  /** Of the picture, in pixels. */
  height: number;
  /** RFC 6381, separated by a comma. */
  codecs: string;
  /** Whether the viewer chose to be behind live: latency control rests until {@link SrsPlayerElement.goLive}. */
  behind?: boolean;
  /** The playback rate that latency control has set. */
  rate: number;
  /** Connections made after the first. */
  reconnects: number;
  /** How far behind live latency control aims at. */
  target: number;
  /** Times playback ran out of media. */
  stalls: number;
  // Of WebRTC only:
  /** To the server and back. */
  rtt?: number;
  /** By which packets come unevenly. */
  jitter?: number;
  /** Part of the last second's packets that did not come, 0 to 1. */
  loss?: number;
  packetsLost?: number;
  /** Packets asked for again. */
  nackCount?: number;
  /** Times the picture stood still. */
  freezeCount?: number;
}

export interface PlayerOptions {
  /** Default `low`. */
  latency?: Latency;
  /** Attempts to reconnect before giving up; default for ever. */
  retry?: number;
  /** Default `auto`. */
  protocol?: Protocol;
  /** A file begins again at its end. */
  loop?: boolean;
  /** Of a stream that not everybody may play. */
  token?: Token;
  /** The folder of worker.js and the wasm; default: beside the module. */
  base?: string;
  /** `false` keeps everything on the main thread. */
  worker?: boolean;
  /** Reports every video frame's arrival as a `trace` event. */
  trace?: boolean;
}

export interface PlayerEventMap {
  state: CustomEvent<{ state: Exclude<PlayerState, 'paused'>; code?: string; message?: string }>;
  warning: CustomEvent<PlayerError>;
  error: CustomEvent<PlayerError & { fatal: boolean }>;
  stats: CustomEvent<Stats>;
}

/** The engine without any look: drives a `<video>` of yours. */
export class Player extends EventTarget {
  constructor(video: HTMLVideoElement, options?: PlayerOptions);
  readonly state: Exclude<PlayerState, 'paused'>;
  readonly stats: Stats;
  latency: Latency;
  loop: boolean;
  /** Counts from the next attempt to connect. */
  token: Token;
  /** Begins to load; what played before ends. */
  load(url: string): void;
  /** Plays, from the live edge after a pause. */
  play(): Promise<void>;
  pause(): void;
  /** Ends everything. The player cannot be used again. */
  destroy(): void;
  addEventListener<K extends keyof PlayerEventMap>(
    type: K, listener: (this: Player, event: PlayerEventMap[K]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof PlayerEventMap>(
    type: K, listener: (this: Player, event: PlayerEventMap[K]) => void, options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions,
  ): void;
}

export interface SrsPlayerElementEventMap extends HTMLElementEventMap {
  /** The state has changed. */
  statechange: CustomEvent<{ state: PlayerState; reason: string }>;
  /** Something is amiss and playing goes on. */
  warning: CustomEvent<PlayerError>;
  /** Once a second. */
  stats: CustomEvent<Stats>;
  /** The browser allowed playing only without sound: a click brings it. */
  soundblocked: Event;
}

/** The members that are those of the `<video>` inside, unchanged. */
type OfVideo = Pick<
  HTMLVideoElement,
  | 'buffered' | 'canPlayType' | 'cancelVideoFrameCallback' | 'currentSrc' | 'currentTime' | 'defaultMuted'
  | 'disablePictureInPicture' | 'duration' | 'ended' | 'getVideoPlaybackQuality' | 'muted' | 'networkState' | 'paused'
  | 'playbackRate' | 'played' | 'preservesPitch' | 'readyState' | 'requestPictureInPicture' | 'requestVideoFrameCallback'
  | 'seekable' | 'seeking' | 'videoHeight' | 'videoWidth' | 'volume'
>;

export interface SrsPlayerElement extends OfVideo, SrsPlayerProperties {
  addEventListener<K extends keyof SrsPlayerElementEventMap>(
    type: K,
    listener: (this: SrsPlayerElement, event: SrsPlayerElementEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof SrsPlayerElementEventMap>(
    type: K,
    listener: (this: SrsPlayerElement, event: SrsPlayerElementEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions,
  ): void;
}

/** `<srs-player>`: a `<video>` for live streams. */
export class SrsPlayerElement extends HTMLElement {
  /** The `base` of all elements without the attribute; empty: beside the module. */
  static base: string;
  readonly state: PlayerState;
  /** A sentence on why it is in its state; empty when there is nothing to say. */
  readonly reason: string;
  readonly error: PlayerError | null;
  /** Figures of the moment; null while nothing plays. */
  readonly stats: Stats | null;
  /** Whether what is seen is the newest there is. */
  readonly live: boolean;
  /** Whether it plays without sound only because the browser wants a click first. */
  readonly soundBlocked: boolean;
  /** The `<video>` in the shadow tree. */
  readonly video: HTMLVideoElement;
  /** Keeps its promise when playing has begun; rejects when that is not to be. */
  play(): Promise<void>;
  pause(): void;
  /** Ends what plays and begins anew, if it was to play. */
  load(): void;
  /** Jumps to the newest there is, and plays. */
  goLive(): Promise<void>;
}

/** `new SrsPlayer('#player', url).play()`: in an `<srs-player>`, a `<video>`, or any element. */
export class SrsPlayer {
  constructor(target: string | Element | ArrayLike<Element>, url: string, options?: SrsPlayerOptions);
  readonly url: string;
  readonly options: SrsPlayerOptions;
  /** What shows the stream. */
  readonly element: SrsPlayerElement | HTMLVideoElement;
  play(): Promise<void>;
  pause(): void;
  destroy(): void;
}

/**
 * What a publisher is doing: `requesting` waits for the person's permission; `ended` was live and is over;
 * `error` has given up.
 */
export type PublisherState = 'idle' | 'requesting' | 'connecting' | 'live' | 'reconnecting' | 'ended' | 'error';

/** What went wrong: a code to act on, and a sentence to show. */
export interface PublisherError {
  /** `permission`, `busy`, `forbidden`, `network`, …: docs/publisher.md has them all. */
  readonly code: string;
  /** A sentence in the person's language. */
  readonly message: string;
}

/** Figures of the moment. */
export interface PublisherStats {
  /** Bits per second sent, picture and sound. */
  bitrate: number;
  /** Video frames sent per second. */
  fps: number;
  /** Of the picture sent, in pixels. */
  width: number;
  /** Of the picture sent, in pixels. */
  height: number;
  /** Separated by a comma. */
  codecs: string;
  /** Round trip to the server in seconds; 0: not known. */
  rtt: number;
  /** Of what was sent, how much did not arrive or had to be left out: 0 to 1. */
  loss: number;
  /** What keeps the picture from being better: `none`, `cpu`, `bandwidth`, `other`. */
  limitation: 'none' | 'cpu' | 'bandwidth' | 'other';
  protocol: 'webrtc' | 'ws-flv';
  /** `udp` or `tcp`; empty: not known. */
  transport: string;
  /** Connections, or routes, found again after the first. */
  reconnects: number;
}

export interface SrsPublisherElementEventMap extends Omit<HTMLElementEventMap, 'error'> {
  /** The state has changed. */
  statechange: CustomEvent<{ state: PublisherState; reason: string }>;
  /** The publisher has given up. */
  error: CustomEvent<PublisherError>;
  /** Something is amiss and publishing goes on. */
  warning: CustomEvent<PublisherError>;
  /** Once a second while it is live. */
  stats: CustomEvent<PublisherStats>;
}

export interface SrsPublisherElement extends SrsPublisherProperties {
  addEventListener<K extends keyof SrsPublisherElementEventMap>(
    type: K,
    listener: (this: SrsPublisherElement, event: SrsPublisherElementEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof SrsPublisherElementEventMap>(
    type: K,
    listener: (this: SrsPublisherElement, event: SrsPublisherElementEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions,
  ): void;
}

/** `<srs-publisher>`: publishes camera, screen or microphone. Opens nothing before it is started. */
export class SrsPublisherElement extends HTMLElement {
  /** The `base` of all elements without the attribute; empty: beside the module. */
  static base: string;
  readonly state: PublisherState;
  /** A sentence on why it is in its state; empty when there is nothing to say. */
  readonly reason: string;
  readonly error: PublisherError | null;
  /** Figures of the moment; null while it is not live. */
  readonly stats: PublisherStats | null;
  /** What goes out; null while nothing is captured. */
  readonly stream: MediaStream | null;
  /** How loud it is at the moment, 0 to 1. */
  readonly level: number;
  /** Whether the preview is a mirror. */
  readonly mirrored: boolean;
  /** Ids of the devices in use; empty: none. */
  readonly devices: { readonly camera: string; readonly microphone: string };
  /** Seconds since it went live; 0: not yet. */
  readonly elapsed: number;
  /** This page's address over HTTPS, to which people are sent from plain HTTP; to be set where the guess is wrong. */
  secureAddress: string;
  /** The preview in the shadow tree. */
  readonly video: HTMLVideoElement;
  /** Opens what is to be published, and publishes; keeps its promise when that is live. */
  start(): Promise<void>;
  /** The same as {@link start}. */
  publish(): Promise<void>;
  /** Ends it, and closes camera and microphone; keeps its promise when the name is free. */
  stop(): Promise<void>;
}

/** `new SrsPublisher('#box', url).publish()`: in an `<srs-publisher>`, with a `<video>`, or in any element. */
export class SrsPublisher {
  constructor(target: string | Element | ArrayLike<Element>, url: string, options?: SrsPublisherOptions);
  readonly url: string;
  readonly element: SrsPublisherElement;
  /** What goes out; null while nothing is captured. */
  readonly stream: MediaStream | null;
  publish(): Promise<void>;
  stop(): Promise<void>;
  destroy(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'srs-player': SrsPlayerElement;
    'srs-publisher': SrsPublisherElement;
  }
}
