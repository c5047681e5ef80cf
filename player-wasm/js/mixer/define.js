// The package's entry for pages that mix: defines <srs-mixer>, and exports its parts.

import { Mixer, SrsMixerElement } from './index.js';

export { Mixer, SrsMixerElement };

if (globalThis.customElements && !customElements.get('srs-mixer')) customElements.define('srs-mixer', SrsMixerElement);
