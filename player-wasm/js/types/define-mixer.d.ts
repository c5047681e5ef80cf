// `import 'lianmai/mixer'`: the mix in the browser.

import type { SrsMixerProperties } from './attributes.js';
import type { PublisherError, PublisherState, PublisherStats, Token } from './index.js';

/** How a picture fits into its tile. `auto`: a shared screen is shown whole, a camera fills the tile. */
export type MixFit = 'auto' | 'cover' | 'contain' | 'stretch';

/** A place on the canvas, in pixels. */
export interface MixRegion {
  /** The position of an input in the list, from 0, or its id. */
  source: number | string;
  x: number;
  y: number;
  w: number;
  h: number;
  fit?: MixFit;
}

/** Where the inputs are: a layout by its name, small pictures by their size, or places. */
export type MixLayout =
  | 'grid' | 'speaker' | 'side' | 'pip' | 'screen'
  | { pip: { corner?: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right'; width?: number; height?: number; offset?: number; fit?: MixFit } }
  | { regions: MixRegion[] };

/** How the inputs are drawn. */
export interface MixLook {
  layout: MixLayout;
  /** Each input has its name at the lower edge. */
  names: boolean;
  /** `#rrggbb`. */
  background: string;
  /** What stays free on each side, per cent: 0 to 20. */
  margin: number;
  /** Pixels between two inputs: 0 to 64. */
  gap: number;
  /** The input that speaks has a border. */
  border: boolean;
  /** A change of the layout fades in during 200 ms. */
  fade: boolean;
}

/** An input: a stream by its name (`live/a`) or address, a `MediaStream` that the page has, or one of them with more. */
export type MixInput = string | MediaStream | {
  /** The same id is the same input: another `MediaStream` takes its place without a break. Default: the address. */
  id?: string;
  stream?: string | MediaStream;
  url?: string;
  name?: string;
  /** 1: as it came; at most 4. */
  gain?: number;
  muted?: boolean;
  /** Heard, but not seen. */
  hidden?: boolean;
  /** It is a shared screen: shown whole, and large in the layout `screen`. */
  screen?: boolean;
};

/** `idle`: the mix does not run; `waiting`: nobody publishes it. */
export type MixInputState = 'idle' | 'connecting' | 'waiting' | 'live' | 'reconnecting' | 'error';

export interface MixInputStatus {
  readonly id: string;
  readonly name: string;
  readonly state: MixInputState;
  /** Why it is not live, as a code of the player. */
  readonly code: string;
}

export type MixerState = Exclude<PublisherState, 'requesting'>;

export interface MixerStats extends PublisherStats {
  /** Frames mixed per second. */
  mixed: number;
  /** Frames left out since the start, because the computer was too slow. */
  skipped: number;
  inputs: number;
}

export interface SrsMixerElement extends Omit<SrsMixerProperties, 'inputs' | 'layout' | 'token'> {}

/** `<srs-mixer>`: mixes streams in the page, and publishes the mix. */
export class SrsMixerElement extends HTMLElement {
  /** The `base` of all elements without the attribute; empty: beside the module. */
  static base: string;
  get inputs(): readonly MixInputStatus[];
  set inputs(list: MixInput[]);
  get layout(): MixLayout;
  set layout(layout: MixLayout);
  token: Token;
  readonly state: MixerState;
  readonly error: PublisherError | null;
  readonly warning: string;
  readonly stats: MixerStats | null;
  /** The id of the input that speaks; empty: nobody has spoken. */
  readonly speaker: string;
  /** The preview in the shadow tree. */
  readonly video: HTMLVideoElement;
  setLayout(layout: MixLayout): void;
  setLook(look: Partial<Omit<MixLook, 'layout'>>): void;
  setInput(id: string, changes: Partial<Exclude<MixInput, string | MediaStream>>): void;
  /** Mixes and publishes; keeps its promise when the mix is live. */
  start(): Promise<void>;
  /** Ends the mix; keeps its promise when the name is free. */
  stop(): Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap {
    'srs-mixer': SrsMixerElement;
  }
}
