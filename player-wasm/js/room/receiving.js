// What a participant plays of the others: the audio of everybody, and a picture for each tile that needs one.

import { StreamPlay } from './playing.js';

/** Milliseconds for which the first picture of a tile may be on its way before another one takes its place. */
const FIRST = 2_000;

/** @typedef {import('./audio.js').RoomAudio} RoomAudio */
/** @typedef {{ name: string, play: StreamPlay, of: string, since: number }} Playing */

export class RoomReceiving {
  #address; #audio; #onpicture;
  /** Audio by the id of its tile. @type {Map<string, Playing>} */
  #voices = new Map();
  /** Pictures by the id of their tile. @type {Map<string, Playing>} */
  #pictures = new Map();
  /** Pictures that take the place of others as soon as they are there. @type {Map<string, Playing>} */
  #coming = new Map();
  /** @type {Map<string, MediaStreamTrack>} */
  #shown = new Map();
  /** The pictures that tiles are to have. @type {Map<string, { name: string, of: string }>} */
  #wanted = new Map();
  /** The counts of the measurement before. @type {WeakMap<StreamPlay, import('./playing.js').Received>} */
  #before = new WeakMap();
  #measured = 0;

  /**
   * @param {(stream: string) => string} address where a stream is played
   * @param {RoomAudio} audio
   * @param {(tile: string, track: MediaStreamTrack | null) => void} onpicture
   */
  constructor(address, audio, onpicture) {
    this.#address = address;
    this.#audio = audio;
    this.#onpicture = onpicture;
  }

  /**
   * Plays what is wanted, and nothing else.
   * @param {Map<string, { name: string, of: string }>} voices streams by the id of their tile; of: the participant
   * @param {Map<string, { name: string, of: string }>} pictures
   */
  update(voices, pictures) {
    this.#wanted = pictures;
    for (const tile of new Set([...this.#pictures.keys(), ...this.#coming.keys()])) if (!pictures.has(tile)) this.#stop(tile);
    for (const tile of pictures.keys()) this.#show(tile);
    for (const [tile, { name, play }] of this.#voices) {
      if (voices.get(tile)?.name === name) continue;
      play.close();
      this.#voices.delete(tile);
      this.#audio.remove(tile);
    }
    for (const [tile, { name, of }] of voices) {
      if (this.#voices.has(tile)) continue;
      const play = new StreamPlay(() => this.#address(name), 'audio', (track) => this.#audio.add(tile, track));
      this.#voices.set(tile, { name, of, play, since: performance.now() });
    }
  }

  /** Begins to play the picture that a tile is to have, if another one is shown or none. @param {string} tile */
  #show(tile) {
    const { name, of } = this.#wanted.get(tile) ?? {};
    if (!name || !of) return;
    const coming = this.#coming.get(tile);
    if (coming?.name === name) return;
    const shown = this.#pictures.get(tile);
    // Somebody who has just come publishes the full picture first, and the small one a moment later: what is nearly
    // there is shown, and then replaced.
    if (coming && !shown && performance.now() - coming.since < FIRST) return;
    coming?.play.close();
    this.#coming.delete(tile);
    if (shown?.name === name) return;
    const next = { name, of, since: performance.now(), play: new StreamPlay(() => this.#address(name), 'video', (track) => {
      if (this.#coming.get(tile) === next) {
        // The picture before is seen until now.
        this.#pictures.get(tile)?.play.close();
        this.#coming.delete(tile);
        this.#pictures.set(tile, next);
      }
      if (this.#pictures.get(tile) !== next) return;
      this.#shown.set(tile, track);
      this.#onpicture(tile, track);
      this.#show(tile);
    }) };
    this.#coming.set(tile, next);
  }

  /** @param {string} tile */
  #stop(tile) {
    this.#pictures.get(tile)?.play.close();
    this.#coming.get(tile)?.play.close();
    this.#pictures.delete(tile);
    this.#coming.delete(tile);
    this.#shown.delete(tile);
    this.#onpicture(tile, null);
  }

  /**
   * What has arrived since the measurement before: bits per second by participant, and of everything the fraction of
   * packets that were lost, and the longest round trip.
   */
  async measure() {
    const now = performance.now();
    const seconds = (now - this.#measured) / 1000;
    this.#measured = now;
    /** @type {Map<string, number>} */
    const rates = new Map();
    let [packets, lost, rtt] = [0, 0, 0];
    for (const { play, of } of [...this.#voices.values(), ...this.#pictures.values(), ...this.#coming.values()]) {
      const received = await play.received();
      if (!received) continue;
      const before = this.#before.get(play) ?? received;
      this.#before.set(play, received);
      // Another session counts from 0.
      rates.set(of, (rates.get(of) ?? 0) + Math.max(0, received.bytes - before.bytes) * 8 / seconds);
      packets += Math.max(0, received.packets - before.packets);
      lost += Math.max(0, received.lost - before.lost);
      rtt = Math.max(rtt, received.rtt);
    }
    return { rates, loss: packets + lost ? lost / (packets + lost) : 0, rtt };
  }

  /** The tracks that a tile has now. @param {string} tile @returns {MediaStreamTrack[]} */
  tracksOf(tile) {
    return [this.#shown.get(tile), this.#audio.track(tile)].filter((track) => track !== undefined);
  }

  /** Whether pictures of a tile are on their way and none is shown yet. @param {string} tile */
  waits(tile) { return this.#coming.has(tile) && !this.#pictures.has(tile); }

  close() {
    this.update(new Map(), new Map());
  }
}
