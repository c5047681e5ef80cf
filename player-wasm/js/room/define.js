// The package's entry for pages with a room: defines <srs-room>, and exports its parts.

import { RoomConnection, SrsRoomElement } from './index.js';

export { RoomConnection, SrsRoomElement };

if (globalThis.customElements && !customElements.get('srs-room')) customElements.define('srs-room', SrsRoomElement);
