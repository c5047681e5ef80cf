// The seat that a page has in a room, kept for the time after a reload: per room and tab.

/** @typedef {{ id: string, key: string }} SeatKey */

export class Seat {
  #name;
  /** What is kept if the browser withholds its storage. @type {SeatKey | null} */
  #own = null;

  /** @param {string} url of the room's socket */
  constructor(url) {
    this.#name = `lianmai room ${url.replace(/[?#].*/, '')}`;
  }

  /** @returns {SeatKey | null} */
  read() {
    try {
      const read = JSON.parse(sessionStorage.getItem(this.#name) ?? 'null');
      return typeof read?.id === 'string' && typeof read?.key === 'string' ? { id: read.id, key: read.key } : this.#own;
    } catch {
      return this.#own;
    }
  }

  /** @param {SeatKey} seat */
  write(seat) {
    this.#own = seat;
    try {
      sessionStorage.setItem(this.#name, JSON.stringify(seat));
    } catch {
      // Private windows may have no storage: the seat lasts as long as the page.
    }
  }

  forget() {
    this.#own = null;
    try {
      sessionStorage.removeItem(this.#name);
    } catch {
      // There is nothing to forget.
    }
  }
}
