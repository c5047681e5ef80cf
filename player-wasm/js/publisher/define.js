// The package's entry for pages that only publish: defines <srs-publisher>, and exports its parts.

import { SrsPublisher, SrsPublisherElement } from './index.js';

export { SrsPublisher, SrsPublisherElement };

if (globalThis.customElements && !customElements.get('srs-publisher')) customElements.define('srs-publisher', SrsPublisherElement);
