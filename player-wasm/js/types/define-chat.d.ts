// `import 'lianmai/chat'`: the elements of a room for its audience.

import type { SrsAudienceProperties, SrsChatProperties, SrsRoomListProperties } from './attributes.js';
import type { SrsPlayerElement } from './index.js';

/** A message of a room's chat. */
export interface ChatMessage {
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of the author. */
  readonly id: string;
  readonly name: string;
  readonly role: 'host' | 'guest' | 'audience';
  readonly text: string;
}

/** The person's role has changed: with `host` or `guest` the page may publish with `key`. */
export interface Stage {
  readonly role: string;
  readonly id: string;
  readonly key: string;
  readonly room: string;
}

/** A connection to a room: docs/rooms.md has the messages, each of which is an event too. */
export interface RoomConnection extends EventTarget {
  readonly state: 'idle' | 'joining' | 'waiting' | 'joined' | 'reconnecting' | 'refused' | 'closed';
  send(message: { type: string } & Record<string, unknown>): boolean;
}

/** `<srs-chat>`: the chat of a room. */
export interface SrsChatElement extends SrsChatProperties {}
export class SrsChatElement extends HTMLElement {
  /** The connection that the chat uses; a page may give it one. */
  connection: RoomConnection | null;
  readonly me: { readonly id: string; readonly name: string; readonly role: string } | null;
}

/** `<srs-audience>`: the broadcast of a room, or who speaks, with the chat beside it. */
export interface SrsAudienceElement extends SrsAudienceProperties {}
export class SrsAudienceElement extends HTMLElement {
  readonly chat: SrsChatElement;
  readonly player: SrsPlayerElement;
  readonly connection: RoomConnection | null;
}

/** `<srs-room-list>`: the rooms that are open. */
export interface SrsRoomListElement extends SrsRoomListProperties {}
export class SrsRoomListElement extends HTMLElement {}

declare global {
  interface HTMLElementTagNameMap {
    'srs-chat': SrsChatElement;
    'srs-audience': SrsAudienceElement;
    'srs-room-list': SrsRoomListElement;
  }
}
