// What <srs-room> is made of; loaded where a page has one.

import { RoomConnection } from './connection.js';
import { SrsRoomElement } from './element.js';

export { RoomConnection, SrsRoomElement };
