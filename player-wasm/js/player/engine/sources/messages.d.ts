// The messages between the player and what brings it a stream: the pipeline (in its worker, or on the page's thread), WebRTC,
// or the browser itself.

import type { Latency, Protocol } from '../../../types/attributes.js';
import type { PlayerState, Stats } from '../../../types/index.js';

/** How an address is played. */
export type Kind = Exclude<Protocol, 'auto'> | 'fmp4';

/** What a stream is doing. */
export type State = Exclude<PlayerState, 'paused'>;

/** Asks the page for a token. `unspent`: the last one reached nobody. */
type Ask = (unspent?: boolean) => Promise<string>;

/** What to play, and how. */
export interface Request {
  url: string;
  kind: Kind;
  /** What the page said: `auto` may play the stream in another way. */
  protocol: Protocol | Kind;
  latency: Latency;
  retry: number;
  /** Whether every video frame is reported. */
  trace: boolean;
  base: string;
  /** Whether the playback rate may change. */
  rates: boolean;
  /** Whether the browser plays HLS by itself, and may. */
  native: boolean;
  token?: Ask;
}

/** The first message to a pipeline: a worker cannot get the page's function. */
export type Load = { type: 'load'; wasm: string; token: boolean } & Omit<Request, 'token' | 'base'>;

/** Where the playhead is. */
export interface Clock {
  /** Milliseconds on the clock that pages and workers share. */
  at: number;
  time: number;
  rate: number;
  paused: boolean;
  seeking: boolean;
  /** There is no picture for the next moment. */
  starved: boolean;
  hidden: boolean;
}

/** What a function of the page has failed with. */
export interface TokenError {
  code: string;
  detail: string;
  fatal: boolean;
  own: true;
}

export type TokenResult = { token: string; error?: undefined } | { token?: undefined; error: TokenError };
export type TokenAnswer = { type: 'token'; id: number } & TokenResult;

/** To any source. */
export type ToSource =
  | ({ type: 'clock' } & Clock)
  | { type: 'latency'; latency: Latency }
  /** The viewer pressed play. */
  | { type: 'resume' }
  /** The viewer wants to be live. */
  | { type: 'live' }
  /** The viewer sought. */
  | { type: 'sought'; time: number }
  | { type: 'stalled' }
  /** The media element failed. */
  | { type: 'rebuild'; text: string }
  | TokenAnswer;

/** To a pipeline. */
export type ToPipeline = Load | { type: 'module'; module: WebAssembly.Module | undefined } | ToSource;

/** What a source tells once a second: not all of them have all of it. */
export type Figures = Partial<Stats> & { bad?: number };

/** What a message of any type may be asked. */
interface Anything {
  code?: string;
  /** The page's own function has failed, not the server. */
  own?: boolean;
  state?: State;
}

/** A failure. `message` is a sentence, or the name of one; `word` names it for translators. */
interface Failure extends Anything {
  code: string;
  message?: string;
  word?: string;
}

/** What a media element shows; a handle is a MediaSource in a worker. */
export type Media = MediaStream | MediaSource | MediaSourceHandle;

/** From any source. */
export type FromSource =
  /** Media to show. */
  | ({ type: 'attach'; handle: Media; managed?: boolean } & Anything)
  /** The element has its address. */
  | ({ type: 'source' } & Anything)
  | ({ type: 'rate'; rate: number } & Anything)
  | ({ type: 'seek'; time: number } & Anything)
  | ({ type: 'state'; state: State; message?: string } & Anything)
  | ({ type: 'warning' } & Failure)
  | ({ type: 'error' } & Failure)
  | ({ type: 'stats'; stats: Figures } & Anything)
  | ({ type: 'trace'; time: number; at: number } & Anything)
  /** Asks for a token; the answer has the same id. */
  | ({ type: 'token'; id: number; unspent: boolean } & Anything)
  /** The address is of another kind. */
  | ({ type: 'other'; kind: Kind } & Anything)
  /** Other addresses of the stream, to be played from now on. */
  | ({ type: 'instead'; urls: string[] } & Anything);

export type Report = (message: FromSource, transfer?: Transferable[]) => void;
