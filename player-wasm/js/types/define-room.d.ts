// `import 'lianmai/room'`: the room for its participants.

import type { SrsRoomProperties } from './attributes.js';
import type { RoomConnection } from './define-chat.js';

/** A participant of a room: docs/rooms.md has the fields. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: 'host' | 'guest' | 'audience' | 'waiting';
  /** Names of the streams that are on air, or null. */
  readonly stream: string | null;
  readonly small: string | null;
  readonly screen: string | null;
  readonly audio: boolean;
  readonly video: boolean;
  readonly quality: 'good' | 'poor' | 'bad';
  readonly hand: boolean;
  readonly invited: boolean;
  readonly away: boolean;
  readonly encoder: boolean;
}

/** `<srs-room>`: a room in which hosts talk to each other. */
export interface SrsRoomElement extends SrsRoomProperties {}
export class SrsRoomElement extends HTMLElement {
  readonly state: 'idle' | 'joining' | 'waiting' | 'joined' | 'reconnecting' | 'refused' | 'closed';
  /** The room's socket; null before the element is on a page. */
  readonly connection: RoomConnection | null;
  /** Those with a seat. */
  readonly people: readonly Person[];
  readonly me: { readonly id: string; readonly name: string; readonly role: string } | null;
  muted: boolean;
  cameraOff: boolean;
  /** Address of the page for guests, which an invitation is appended to. */
  page: string;
  /** Address of this page over HTTPS, where browsers give out the camera. */
  secureAddress: string;
  /** Enters the room. Has to be called in a click. */
  join(): void;
  /** Leaves the room, and closes camera and microphone. */
  leave(): Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap {
    'srs-room': SrsRoomElement;
  }
}
