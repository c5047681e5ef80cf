// `<srs-player danmaku="ROOM">`: the chat of a room flies over the player.

import { readAddress } from '../../net/stream-address.js';
import { clean } from '../../ui/clean.js';
import { Danmaku } from './danmaku.js';
import { enter, exit, socketAddress } from './share.js';

export class Overlay {
  #danmaku; #url; #connection;
  #fly = (/** @type {Event} */ event) => {
    const { text, id } = /** @type {CustomEvent<import('../../net/room-messages.js').ChatMessage>} */ (event).detail;
    this.#danmaku.fly(clean(text), id === this.#connection.me?.id);
  };

  /**
   * @param {HTMLElement} box around the video
   * @param {string} room
   * @param {string} address of the stream: the room is on the same server
   */
  constructor(box, room, address) {
    this.#url = socketAddress(readAddress(address, document.baseURI)?.origins[0] ?? '', room);
    this.#danmaku = new Danmaku(box);
    this.#connection = enter(this.#url, { name: 'Viewer', role: 'audience' });
    this.#connection.addEventListener('chat', this.#fly);
  }

  close() {
    this.#connection.removeEventListener('chat', this.#fly);
    this.#danmaku.close();
    exit(this.#url);
  }
}
