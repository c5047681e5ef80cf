// The package's entry for pages that only play: defines <srs-player>, and exports its parts.

import { SrsPlayerElement } from './element.js';

export { SrsPlayer } from './compat.js';
export { Player } from './engine/player.js';
export { SrsPlayerElement };

if (globalThis.customElements && !customElements.get('srs-player')) customElements.define('srs-player', SrsPlayerElement);
