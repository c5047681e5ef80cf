// The package's entry for pages with a chat or a list of rooms: defines the elements, and exports their classes.

import { SrsAudienceElement } from './audience.js';
import { SrsChatElement } from './element.js';
import { SrsRoomListElement } from './room-list.js';

export { SrsAudienceElement, SrsChatElement, SrsRoomListElement };

if (globalThis.customElements) {
  for (const [name, element] of /** @type {const} */ ([['srs-chat', SrsChatElement], ['srs-room-list', SrsRoomListElement], ['srs-audience', SrsAudienceElement]])) {
    if (!customElements.get(name)) customElements.define(name, element);
  }
}
