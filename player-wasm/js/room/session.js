// A participant's part in a room: the socket, what is published and what is played, without any view of it.

import { RoomAudio } from './audio.js';
import { pictureOf, place } from './layout.js';
import { Network } from './network.js';
import { RoomPublishing } from './publishing.js';
import { RoomReceiving } from './receiving.js';
import { RANK, Share, socketAddress } from './share.js';

/** @typedef {import('../net/room-messages.js').Person} Person */
/** @typedef {import('../net/room-messages.js').Layout} Layout */

/** Milliseconds between two measurements of the network. */
const MEASURE = 2_000;
/** Milliseconds that sessions may take to end before the seat is given up. */
const GOODBYE = 500;
/** A hidden page keeps its pictures for this many milliseconds; audio stays. */
const HIDDEN = 5_000;

export class RoomSession extends EventTarget {
  connection; publishing;
  /** @type {import('./connection.js').RoomState} */
  #state = 'idle';
  #share;
  #joining = false;
  /** The participant is about to give the seat up. */
  #leaving = false;
  /** Why the room has refused this participant, or ended the connection. @type {{ code: string, text: string } | null} */
  error = null;
  /** @type {RoomReceiving | undefined} */
  receiving;
  #server; #scene;
  /** Made in the click on Join. @type {RoomAudio | null} */
  audio = null;
  /** The layout that this page's user chose; null: that of the room. @type {Layout | null} */
  own = null;
  /** Tiles that are on the screen. @type {Set<string>} */
  visible = new Set();
  /** Bits per second that arrive of each participant. @type {Map<string, number>} */
  rates = new Map();
  #network = new Network();
  #timer = 0;
  #hiding = 0;
  #hidden = false;
  /** The page mixes, and up to so many others in full size. */
  #mixes = 0;
  /** What is played is to be looked at again, at once. */
  #pending = false;
  #screens = '';
  /** Ends the listeners on the connection, which others of the page may go on with. */
  #off = new AbortController();

  /**
   * @param {object} options
   * @param {string} options.server address of the gateway: `https://host`
   * @param {string} options.room
   * @param {boolean} options.scene shows the hosts only, in full size: for a broadcast
   */
  constructor({ server, room, scene }) {
    super();
    const base = new URL(server.replace(/\/*$/, '/'), document.baseURI);
    this.#server = base.href;
    this.#scene = scene;
    this.#share = new Share(socketAddress(base.href, room), RANK.participant, () => void this.#over('closed'));
    const connection = this.connection = this.#share.connection;
    this.publishing = new RoomPublishing();
    const { signal } = this.#off;
    for (const type of ['person', 'left', 'settings', 'speaker', 'welcome', 'live', 'audience']) connection.addEventListener(type, this.#changed, { signal });
    connection.addEventListener('state', () => { if (this.#taking && !this.#joining) this.#entered(); }, { signal });
    connection.addEventListener('seat', () => { if (this.#taking) this.#seated(); }, { signal });
    this.publishing.addEventListener('change', () => this.#publishes());
    this.publishing.addEventListener('stats', () => this.#changed());
  }

  /** Whether this participant is in the room, or about to be. Others of the page may be in it without. */
  get #taking() { return this.#share.options !== null; }
  /** The state of this participant's part; that of the connection may differ, which a chat beside it may use. */
  get state() { return this.#state; }
  /** Is aborted when the session is closed for good: the connection may live on. */
  get signal() { return this.#off.signal; }
  /** Whether this participant is in the room. */
  get inside() { return this.#state === 'joined' || this.#state === 'reconnecting'; }
  get network() { return this.#network.quality; }
  get me() { return this.connection.me; }
  /** Whether this participant may publish. */
  get seated() { return this.me?.role === 'host' || this.me?.role === 'guest'; }
  get isHost() { return this.me?.role === 'host'; }

  /** Those with a seat: this participant, then the others in the order of their arrival. @returns {Person[]} */
  get people() {
    const all = [...this.connection.people.values()].filter(({ role }) => role === 'host' || role === 'guest');
    return [...all.filter(({ id }) => id === this.me?.id), ...all.filter(({ id }) => id !== this.me?.id)];
  }

  get server() { return this.#server; }
  /** The gateway's host name. */
  get hostname() { return new URL(this.#server, location.href).hostname; }

  /** The layout of this page. A screen takes the stage unless the user has chosen since. */
  get layout() {
    return this.own ?? (this.people.some(({ screen }) => screen) ? 'screen' : this.connection.room?.layout ?? 'grid');
  }

  get tiles() {
    const { spotlight = null } = this.connection.room ?? {};
    return place({ people: this.people, layout: this.layout, spotlight, speaker: this.connection.speaker, me: this.me?.id ?? '' });
  }

  /** Enters the room. Has to be called in a click, which starts the audio. @param {import('../net/room-messages.js').JoinOptions} options */
  join(options) {
    this.audio ??= new RoomAudio();
    this.audio.addEventListener('change', this.#changed);
    this.receiving ??= new RoomReceiving((name) => this.#playAddress(name), this.audio,
      (tile, track) => this.dispatchEvent(new CustomEvent('picture', { detail: { tile, track } })));
    document.addEventListener('visibilitychange', this.#visibility);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void this.#measure(), MEASURE);
    this.error = null;
    this.#joining = true;
    // The connection may leave first, as what the page was in the room before.
    this.#share.join(options);
    this.#joining = false;
    this.#entered();
  }

  /** Leaves, and closes everything but the socket's history. */
  async leave() {
    this.#share.options = null;
    this.#leaving = true;
    // The sessions end first: the gateway knows none of them any more after the seat is given up.
    await Promise.race([this.#over('closed'), new Promise((resolve) => { setTimeout(resolve, GOODBYE); })]);
    this.#giveUp();
  }

  /** Gives the seat up, unless somebody has joined again meanwhile. */
  #giveUp() {
    if (this.#leaving && !this.#taking) this.#share.leave();
    this.#leaving = false;
  }

  /** Ends everything for good; the gateway keeps the seat for some seconds. */
  async close() {
    this.#giveUp();
    this.#off.abort();
    this.#share.release();
    await this.#over(this.#state === 'idle' ? 'idle' : 'closed');
  }

  /** @param {import('./connection.js').RoomState} state */
  async #over(state) {
    this.#show(state);
    this.dispatchEvent(new CustomEvent('change'));
    await this.#close();
  }

  /** @param {import('./connection.js').RoomState} state */
  #show(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state } }));
  }

  /** Shows other tiles, or the same in another layout. @param {Layout | null} layout */
  arrange(layout) {
    this.own = layout;
    this.#changed();
  }

  /**
   * The tracks of a tile that are shown and played now.
   * @param {string} tile
   * @returns {MediaStreamTrack[]}
   */
  tracksOf(tile) {
    const mine = this.me?.id;
    const own = tile === mine ? this.publishing.stream : tile === `${mine}~screen` ? this.publishing.screen : null;
    return own?.getTracks() ?? this.receiving?.tracksOf(tile) ?? [];
  }

  /** All pictures are needed, whatever is on the screen: in full size if there are at most so many others. @param {number} full 0: not any more */
  mixes(full) {
    this.#mixes = full;
    this.#changed();
  }

  /** @param {string} tile @param {boolean} visible */
  see(tile, visible) {
    if (this.visible.has(tile) === visible) return;
    if (visible) this.visible.add(tile);
    else this.visible.delete(tile);
    // Many tiles come at once.
    if (this.#pending) return;
    this.#pending = true;
    queueMicrotask(() => {
      this.#pending = false;
      this.#play();
    });
  }

  /** @param {{ muted?: boolean, cameraOff?: boolean }} changes */
  mute(changes) {
    this.publishing.set(changes);
    this.#tell();
  }

  async #close() {
    clearInterval(this.#timer);
    clearTimeout(this.#hiding);
    document.removeEventListener('visibilitychange', this.#visibility);
    this.receiving?.close();
    this.receiving = undefined;
    this.audio?.close();
    this.audio = null;
    await this.publishing.stop();
  }

  /** The address of a stream, which its endpoints are below. @param {string} name */
  #stream(name) { return new URL(encodeURI(name).replace(/[?#]/g, encodeURIComponent), this.#server).href; }

  /** @param {string} name */
  #playAddress(name) { return `${this.#stream(name)}/whep?seat=${encodeURIComponent(this.me?.key ?? '')}`; }

  #entered() {
    const { state } = this.connection;
    this.error = this.connection.error;
    this.#show(state);
    if (state === 'joined') this.#seated();
    else if (state === 'refused' || state === 'closed') {
      void this.#close();
      this.#share.quit();
    }
    this.#changed();
  }

  /** Publishes or stops, as the role says. */
  #seated() {
    const { me, room } = this.connection;
    if (this.#scene || !me || !room) return;
    if (this.seated) void this.publishing.start(this.#stream(`${room.name}/${me.id}`), me.key).then(() => this.#tell());
    else if (this.publishing.state !== 'idle') void this.publishing.stop();
    this.#changed();
  }

  /** Tells the others what this participant sends. */
  #tell() {
    if (!this.seated) return;
    const { muted, cameraOff, stream } = this.publishing;
    const has = (/** @type {string} */ kind) => stream?.getTracks().some((track) => track.kind === kind) ?? false;
    this.connection.send({ type: 'mute', audio: has('audio') && !muted, video: has('video') && !cameraOff });
  }

  #publishes() {
    const tracks = this.publishing.stream?.getTracks().map(({ kind }) => kind).join() ?? '';
    if (tracks !== this.#screens) {
      this.#screens = tracks;
      if (this.#state === 'joined') this.#tell();
    }
    this.#changed();
  }

  #changed = () => {
    // The view has the tiles first, so that pictures and voices begin together.
    this.dispatchEvent(new CustomEvent('change'));
    this.#play();
  };

  /** Plays what the layout shows. */
  #play() {
    if (!this.receiving) return;
    const { me } = this;
    if (!this.inside) return this.receiving.update(new Map(), new Map());
    /** @type {Map<string, { name: string, of: string }>} */
    const voices = new Map();
    /** @type {Map<string, { name: string, of: string }>} */
    const pictures = new Map();
    const others = this.people.filter(({ id }) => id !== me?.id);
    for (const { id, stream, screen } of others) {
      if (stream) voices.set(id, { name: stream, of: id });
      if (screen) voices.set(`${id}~screen`, { name: screen, of: id });
    }
    for (const tile of this.tiles) {
      const person = others.find(({ id }) => id === tile.person);
      if (!person) continue;
      const visible = this.#mixes > 0 || (!this.#hidden && this.visible.has(tile.id));
      const picture = pictureOf(tile, person, { visible, others: others.length, network: this.network, full: this.#scene || others.length <= this.#mixes });
      const name = { full: person.stream, small: person.small, screen: person.screen, none: null }[picture];
      if (name) pictures.set(tile.id, { name, of: tile.person });
    }
    this.receiving.update(voices, pictures);
    return undefined;
  }

  #visibility = () => {
    clearTimeout(this.#hiding);
    if (!document.hidden) {
      this.#hidden = false;
      this.#play();
    } else if (!this.#scene) this.#hiding = setTimeout(() => {
      this.#hidden = true;
      this.#play();
    }, HIDDEN);
  };

  async #measure() {
    const measured = await this.receiving?.measure();
    if (!measured) return;
    this.rates = measured.rates;
    const { stats } = this.publishing;
    const loss = Math.max(measured.loss, stats?.loss ?? 0);
    if (this.#network.measure({ loss, rtt: Math.max(measured.rtt, stats?.rtt ?? 0) })) {
      this.publishing.adapt(this.network);
      this.connection.send({ type: 'quality', quality: this.network });
      this.dispatchEvent(new CustomEvent('network'));
    }
    this.#changed();
  }
}
