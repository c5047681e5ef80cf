// Exports the classes of <srs-publisher> and SrsPublisher. Loaded by pages that use one.

import { SrsPublisher } from './compat.js';
import { SrsPublisherElement } from './element.js';

export { SrsPublisher, SrsPublisherElement };
