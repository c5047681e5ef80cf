// The module of the npm package: defines <srs-player> and <srs-publisher>, and hands out the parts.

import { SrsPlayerElement } from './element.js';
import { SrsPublisher, SrsPublisherElement } from './publisher.js';

export { SrsPlayer } from './compat.js';
export { Player } from './player.js';
export { SrsPlayerElement, SrsPublisher, SrsPublisherElement };

if (globalThis.customElements) {
  if (!customElements.get('srs-player')) customElements.define('srs-player', SrsPlayerElement);
  if (!customElements.get('srs-publisher')) customElements.define('srs-publisher', SrsPublisherElement);
}
