// What <srs-mixer> is made of; loaded where a page has one.

import { SrsMixerElement } from './element.js';
import { Mixer } from './mixer.js';

export { Mixer, SrsMixerElement };
