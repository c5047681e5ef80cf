// What templates may write on the elements, for the frameworks' types.

import type { Latency, Protocol, PublisherProtocol, PublisherSource, Token } from './index.js';

/** Booleans as templates write them. */
type Switch = boolean | 'true' | 'false' | '';
type Size = number | string;

/** On an `<srs-player>`. */
export interface SrsPlayerAttributes {
  url?: string;
  src?: string;
  autoplay?: Switch;
  muted?: Switch;
  controls?: Switch;
  loop?: Switch;
  viewers?: Switch;
  stats?: Switch;
  width?: Size;
  height?: Size;
  ratio?: string;
  poster?: string;
  captions?: string;
  offline?: string;
  title?: string;
  lang?: string;
  preload?: 'none' | 'metadata' | 'auto' | '';
  latency?: Latency;
  protocol?: Protocol;
  retry?: Size;
  base?: string;
  token?: Token;
}

/** On an `<srs-publisher>`. */
export interface SrsPublisherAttributes {
  url?: string;
  source?: PublisherSource;
  protocol?: PublisherProtocol;
  width?: Size;
  height?: Size;
  fps?: Size;
  bitrate?: Size;
  camera?: string;
  microphone?: string;
  muted?: Switch;
  'camera-off'?: Switch;
  preview?: Switch;
  stats?: Switch;
  lang?: string;
  retry?: Size;
  base?: string;
  token?: Token;
}
