// `<srs-player danmaku="ROOM">`: shows the chat of a room as flying messages over the player.

import { readAddress } from '../../net/stream-address.js';
import { RANK, Share, socketAddress } from '../../room/share.js';
import { clean } from '../../ui/clean.js';
import { Danmaku } from './danmaku.js';

export class Overlay {
  #danmaku; #share;
  #fly = (/** @type {Event} */ event) => {
    const { text, id } = /** @type {CustomEvent<import('../../net/room-messages.js').ChatMessage>} */ (event).detail;
    this.#danmaku.fly(clean(text), id === this.#share.connection.me?.id);
  };

  /**
   * @param {HTMLElement} box around the video
   * @param {string} room
   * @param {string} address of the stream; the room is on the same server
   */
  constructor(box, room, address) {
    this.#danmaku = new Danmaku(box);
    this.#share = new Share(socketAddress(readAddress(address, document.baseURI)?.origins[0] ?? '', room), RANK.nameless);
    this.#share.join({ name: 'Viewer', role: 'audience' });
    this.#share.connection.addEventListener('chat', this.#fly);
  }

  close() {
    this.#share.connection.removeEventListener('chat', this.#fly);
    this.#danmaku.close();
    this.#share.release();
  }
}
