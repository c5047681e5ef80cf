// What <srs-publisher> and SrsPublisher are made of; loaded where a page has one.

import { SrsPublisher } from './compat.js';
import { SrsPublisherElement } from './element.js';

export { SrsPublisher, SrsPublisherElement };
