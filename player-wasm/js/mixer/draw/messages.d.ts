// Messages between the page and the Worker that mixes.

import type { MixLook } from '../../types/define-mixer.js';
import type { SceneSource, SourceState } from './scene.js';

export type ToMix =
  /** Without `writable` the page draws, and the worker is its clock. */
  | { type: 'start'; width: number; height: number; rate: number; writable?: WritableStream<VideoFrame> }
  | { type: 'look'; look: MixLook }
  | { type: 'sources'; sources: SceneSource[] }
  | { type: 'states'; states: Record<string, SourceState> }
  /** Another track of an input; without `readable` it has none. */
  | { type: 'track'; id: string; readable?: ReadableStream<VideoFrame> }
  | { type: 'stop' };

export type FromMix =
  | { type: 'ready' }
  /** The page is to draw. */
  | { type: 'tick' }
  /** What was drawn so far, and the position of the speaker. */
  | { type: 'count'; frames: number; skipped: number; speaker: number };
