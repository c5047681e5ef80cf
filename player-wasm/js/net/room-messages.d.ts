// The messages of a room's socket: docs/rooms.md. Unknown types and fields are ignored.

import type { Token } from './token-ask.js';

export type Role = 'host' | 'guest' | 'audience' | 'waiting';
export type Layout = 'grid' | 'speaker' | 'side' | 'screen' | 'pip';
export type Quality = 'good' | 'poor' | 'bad';

export interface JoinOptions {
  name?: string;
  /** Without it, the highest role that the credentials allow. */
  role?: Role;
  invite?: string;
  token?: Token;
  secret?: string;
  /** Number of the last chat message that the page has. */
  since?: number;
}

export interface Me { id: string; name: string; role: Role; key: string }

export interface Person {
  id: string;
  name: string;
  role: Role;
  /** Complete names of streams that are on air, or null. */
  stream: string | null;
  small: string | null;
  screen: string | null;
  audio: boolean;
  video: boolean;
  /** null: not known. */
  quality: Quality | null;
  hand: boolean;
  invited: boolean;
  away: boolean;
  encoder: boolean;
  /** Whether the broadcast shows the participant. */
  shown?: boolean;
}

/** The broadcast; `stream` is null while there is none. */
export interface Live { stream: string | null; since: number | null; viewers: number; mixed?: boolean; problem?: string | null }

export interface Room {
  name: string;
  title: string;
  locked: boolean;
  lobby: boolean;
  layout: Layout;
  spotlight: string | null;
  chat: 'all' | 'hosts' | 'off';
  slow: number;
  audience: number;
  likes: number;
  live: Live;
  seats: number;
}

export interface ChatMessage { type: 'chat'; seq: number; at: number; id: string; name: string; role: Role; text: string }

export interface Welcome {
  type: 'welcome';
  version: number;
  id: string;
  name: string;
  role: Role;
  key: string;
  room: Room;
  people: Person[];
  chat: ChatMessage[];
  speaker?: string | null;
  time: number;
}

export interface ErrorMessage { type: 'error'; code: string; text: string; about?: string; retry?: number | null }

export type ServerMessage =
  | Welcome
  | { type: 'person'; person: Person }
  | { type: 'left'; id: string; reason: string }
  | { type: 'seat'; role: Role; key?: string; reason?: string }
  | { type: 'waiting' }
  | { type: 'invited'; by: string }
  | { type: 'declined'; id: string }
  | { type: 'mute_asked'; by: string }
  | { type: 'settings'; room: Room }
  | { type: 'audience'; count: number; likes: number }
  | { type: 'levels'; levels: Record<string, number> }
  | { type: 'speaker'; id: string | null }
  | ChatMessage
  | { type: 'deleted'; seq: number }
  | { type: 'silenced'; until: number }
  | ({ type: 'live' } & Live)
  | { type: 'invite_made'; invite: string; role: Role; until: number }
  | { type: 'encoder_made'; id: string; stream: string; key: string }
  | ErrorMessage
  | { type: 'pong'; n: number };
