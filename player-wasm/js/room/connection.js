// The socket of a room: joins, comes back to the same seat after an interruption, and keeps what the gateway says.

import { Retry } from '../net/retry.js';
import { Tokens } from '../net/token-ask.js';
import { Seat } from '../net/seat.js';

/**
 * @typedef {import('../net/room-messages.js').ServerMessage} ServerMessage
 * @typedef {import('../net/room-messages.js').Person} Person
 * @typedef {import('../net/room-messages.js').Room} Room
 * @typedef {import('../net/room-messages.js').ChatMessage} ChatMessage
 * @typedef {import('../net/room-messages.js').Me} Me
 * @typedef {import('../net/room-messages.js').JoinOptions} JoinOptions
 */
/** @typedef {'idle' | 'joining' | 'waiting' | 'joined' | 'reconnecting' | 'refused' | 'closed'} RoomState */

/** Chat messages that are kept. */
const MAX_CHAT = 200;
/** Participants that are kept. The gateway lists those with a seat, a raised hand or an invitation. */
const MAX_PEOPLE = 500;
/** Messages that are sent when the connection is back. */
const MAX_UNSENT = 20;
/** Milliseconds between two signs of life. A seat is kept for 10 s without a socket. */
const PING = 15_000;
/**
 * Signs of life without an answer after which the socket counts as lost. They are counted, because browsers run the timers
 * of hidden pages once a minute only: a time that has passed does not tell how long the gateway had for its answer.
 */
const MAX_UNANSWERED = 2;
/** Milliseconds that the socket may take to open and to be welcomed. */
const PATIENCE = 15_000;
const LEFT = 1000;
const ELSEWHERE = 4000;
const REMOVED = 4001;
const REFUSED = 4003;

export class RoomConnection extends EventTarget {
  /** @type {RoomState} */
  #state = 'idle';
  #url;
  /** @type {JoinOptions} */
  #options = {};
  /** @type {WebSocket | null} */
  #socket = null;
  #retry = new Retry(Infinity);
  #tokens = new Tokens();
  #seat;
  /** @type {object[]} */
  #unsent = [];
  #timer = 0;
  #pings = 0;
  /** Signs of life since the last message of the gateway. */
  #unanswered = 0;
  /** The request that is under way shows the key of the seat from before. */
  #resuming = false;
  /** Why the gateway does not let this client in, if it has said so. @type {{ code: string, text: string, retry?: number | null } | null} */
  #refusal = null;

  /** Who this client is; null before the first `welcome`. @type {Me | null} */
  me = null;
  /** @type {Room | null} */
  room = null;
  /** Everybody with a seat, and those who wait, raised a hand or are invited, by id. @type {Map<string, Person>} */
  people = new Map();
  /** The newest messages, the oldest first. @type {ChatMessage[]} */
  chat = [];
  /** The broadcast of the room. @type {{ stream: string | null, since: number, viewers: number, mixed: boolean, problem: string | null } | null} */
  live = null;
  likes = 0;
  audience = 0;
  /** Who speaks. @type {string | null} */
  speaker = null;
  /** Why the room refused the client, or ended the connection. @type {{ code: string, text: string } | null} */
  error = null;
  /** Milliseconds to add to this machine's clock to get the gateway's. */
  clock = 0;

  /** Number of attempts: an earlier one that still waits for its token is void. */
  #run = 0;

  /** @param {{ url: string }} options url: `ws://HOST/api/v1/rooms/NAME` */
  constructor({ url }) {
    super();
    this.#url = url;
    this.#seat = new Seat(url);
  }

  get state() { return this.#state; }

  /** Opens the socket and enters the room; from then on it reconnects by itself. @param {JoinOptions} [options] */
  join(options = {}) {
    this.close();
    this.#options = options;
    this.error = null;
    globalThis.addEventListener?.('online', this.#online);
    this.#show('joining');
    void this.#open();
  }

  /**
   * Sends a message: now, or when the connection is back.
   * @param {{ type: string } & Record<string, unknown>} message
   * @returns {boolean} whether it was sent at once
   */
  send(message) {
    const ready = this.#state === 'joined' || this.#state === 'waiting';
    if (ready && this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
      return true;
    }
    if (this.#state === 'reconnecting' && message.type !== 'like') this.#unsent = [...this.#unsent, message].slice(-MAX_UNSENT);
    return false;
  }

  /** Leaves the room and gives the seat up. */
  leave() {
    this.send({ type: 'leave' });
    this.#seat.forget();
    this.#end('closed');
  }

  /** Ends the connection. The gateway keeps the seat for some seconds. */
  close() {
    this.#end(this.#state === 'idle' ? 'idle' : 'closed');
  }

  async #open() {
    const { name, role, invite, token, secret, since } = this.#options;
    this.#timer = setTimeout(() => this.#lost(), PATIENCE);
    const run = ++this.#run;
    const kept = this.#seat.read();
    // Somebody who watched in this tab may have come back with more rights.
    const better = this.#state === 'joining' && (invite || token || secret) && /^[aw]\./.test(kept?.key ?? '');
    const seat = better ? null : kept;
    const shown = seat || invite || !token ? '' : await this.#tokens.take(token).catch((error) => {
      this.error = { code: error.code ?? 'network', text: error.detail ?? '' };
      return null;
    });
    if (run !== this.#run || (this.#state !== 'joining' && this.#state !== 'reconnecting')) return;
    // A page that refuses a token, after a logout for example, will refuse the next one too.
    if (shown === null) return this.error?.code === 'forbidden' ? this.#refuse('forbidden', this.error.text) : this.#lost();
    const url = new URL(this.#url);
    if (secret) url.searchParams.set('secret', secret);
    /** @type {WebSocket} */
    let socket;
    try {
      socket = this.#socket = new WebSocket(url.href);
    } catch (error) {
      return this.#refuse('address', String(error));
    }
    this.#resuming = seat !== null;
    this.#refusal = null;
    socket.onopen = () => {
      if (socket !== this.#socket) return socket.close();
      const last = Math.max(0, since ?? 0, ...this.chat.map(({ seq }) => seq));
      socket.send(JSON.stringify({
        type: 'join', version: 1, name, role, ...(last && { since: last }), ...(seat ?? (invite ? { invite } : shown ? { token: shown } : {})),
      }));
    };
    socket.onmessage = ({ data }) => { if (socket === this.#socket) this.#receive(data); };
    socket.onclose = ({ code }) => { if (socket === this.#socket) this.#closed(code); };
  }

  /** @param {unknown} data */
  #receive(data) {
    this.#unanswered = 0;
    /** @type {ServerMessage[]} */
    let all = [];
    try {
      const read = JSON.parse(String(data));
      if (Array.isArray(read)) all = read;
    } catch {
      // A gateway that sends no JSON is none of ours; the timeout ends the attempt.
    }
    for (const message of all) {
      if (typeof message?.type !== 'string' || !this.#socket) continue;
      this.#keep(message);
      this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
    }
  }

  /** Keeps what a message says. @param {ServerMessage} message */
  #keep(message) {
    switch (message.type) {
      case 'welcome': return this.#welcome(message);
      case 'waiting': return this.#enter('waiting');
      case 'person':
        if (this.people.size < MAX_PEOPLE || this.people.has(message.person.id)) this.people.set(message.person.id, message.person);
        return undefined;
      case 'left': return void this.people.delete(message.id);
      case 'seat':
        if (this.me) this.#iam({ ...this.me, role: message.role, key: message.key ?? this.me.key });
        return this.#enter(message.role === 'waiting' ? 'waiting' : 'joined');
      case 'settings': return this.#roomIs(message.room);
      case 'audience':
        this.audience = message.count;
        this.likes = message.likes;
        return undefined;
      case 'speaker':
        this.speaker = message.id;
        return undefined;
      case 'chat':
        this.chat = [...this.chat, message].slice(-MAX_CHAT);
        return undefined;
      case 'deleted':
        this.chat = this.chat.filter(({ seq }) => seq !== message.seq);
        return undefined;
      case 'live':
        return this.#broadcast(message);
      case 'error':
        this.error = message;
        if (message.about === 'join') this.#refusal = message;
        return undefined;
      default: return undefined;
    }
  }

  /** @param {import('../net/room-messages.js').Welcome} message */
  #welcome({ id, name, role, key, room, people, chat, speaker, time }) {
    this.#retry.reset();
    this.error = null;
    this.clock = time - Date.now();
    this.speaker = speaker ?? null;
    this.#iam({ id, name, role, key });
    this.people = new Map(people.slice(0, MAX_PEOPLE).map((person) => [person.id, person]));
    // A gateway that was restarted counts anew: a number alone does not tell a message.
    const known = new Set(this.chat.map(({ seq, at }) => `${seq} ${at}`));
    this.chat = [...this.chat, ...chat.filter(({ seq, at }) => !known.has(`${seq} ${at}`))].sort((a, b) => a.at - b.at).slice(-MAX_CHAT);
    this.#roomIs(room);
    this.#enter(role === 'waiting' ? 'waiting' : 'joined');
  }

  /** @param {Me} me */
  #iam(me) {
    this.me = me;
    if (me.key) this.#seat.write({ id: me.id, key: me.key });
  }

  /** @param {Room} room */
  #roomIs(room) {
    this.room = room;
    if (typeof room.audience === 'number') this.audience = room.audience;
    if (typeof room.likes === 'number') this.likes = room.likes;
    this.#broadcast(room.live);
  }

  /** @param {import('../net/room-messages.js').Live | undefined} live */
  #broadcast(live) {
    this.live = live && (live.stream || live.mixed) ? { stream: live.stream, since: live.since ?? 0, viewers: live.viewers, mixed: live.mixed ?? false, problem: live.problem ?? null } : null;
  }

  /** The gateway has answered. @param {'waiting' | 'joined'} state */
  #enter(state) {
    const before = this.#state;
    if (before === 'joining' || before === 'reconnecting') {
      this.#unanswered = 0;
      this.#watch();
    }
    if (before === state) return;
    this.#show(state);
    for (const message of this.#unsent.splice(0)) this.send(/** @type {{ type: string }} */ (message));
  }

  /** Sends signs of life, and notices when none comes back. */
  #watch() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#unanswered >= MAX_UNANSWERED) return this.#lost();
      this.#unanswered++;
      this.send({ type: 'ping', n: ++this.#pings });
      return this.#watch();
    }, PING);
  }

  /** @param {number} code */
  #closed(code) {
    this.#socket = null;
    if (code === LEFT) return this.#end('closed');
    if (code === ELSEWHERE) {
      // The other page has the seat; fetching it back would go on for ever.
      this.error = { code: 'elsewhere', text: '' };
      this.#seat.forget();
      return this.#end('closed');
    }
    if (code === REMOVED) return this.#refuse('removed', '');
    if (code === REFUSED) {
      const refusal = this.#refusal;
      // Without a reason, the gateway has not seen the request in time.
      if (!refusal) return this.#lost();
      if (typeof refusal.retry === 'number') return this.#lost(refusal.retry * 1000);
      // The key may be that of a room that is over: other credentials may do.
      if (this.#resuming && refusal.code !== 'removed') {
        this.#seat.forget();
        return this.#lost();
      }
      return this.#refuse(refusal.code, refusal.text);
    }
    return this.#lost();
  }

  /** Connects again, after a pause. @param {number} [wait] in milliseconds */
  #lost(wait) {
    this.#drop();
    this.#show(this.me ? 'reconnecting' : 'joining');
    const hidden = globalThis.document?.hidden ?? false;
    this.#retry.after(wait ?? this.#retry.next(hidden) ?? 0, () => void this.#open());
  }

  /** @param {string} code @param {string} text */
  #refuse(code, text) {
    this.error = { code, text };
    this.#seat.forget();
    this.#end('refused');
  }

  /** @param {RoomState} state */
  #end(state) {
    globalThis.removeEventListener?.('online', this.#online);
    this.#retry.stop();
    this.#unsent = [];
    this.#drop();
    if (state !== this.#state) this.#show(state);
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #online = () => this.#retry.hurry();

  /** @param {RoomState} state */
  #show(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, error: this.error } }));
  }
}
