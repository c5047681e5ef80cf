// What <srs-publisher> and SrsPublisher are made of; loaded where a page has one.

import { SrsPublisher } from './publisher-compat.js';
import { SrsPublisherElement } from './publisher-element.js';

export { SrsPublisher, SrsPublisherElement };
