// `import 'lianmai/player'`: for pages that only play.

export { Player, SrsPlayer, SrsPlayerElement } from './index.js';
export type {
  Latency, PlayerError, PlayerEventMap, PlayerOptions, PlayerState, Protocol, SrsPlayerElementEventMap, SrsPlayerOptions, Stats,
  Token, TokenSource,
} from './index.js';
