// `import 'lianmai/publisher'`: for pages that only publish.

export { SrsPublisher, SrsPublisherElement } from './index.js';
export type {
  PublisherError, PublisherProtocol, PublisherSource, PublisherState, PublisherStats, SrsPublisherElementEventMap,
  SrsPublisherOptions, Token, TokenSource,
} from './index.js';
