// Stores the seat of a page in a room, per room and tab, so that it survives a reload.

/** @typedef {{ id: string, key: string }} SeatKey */

export class Seat {
  #name;
  /** Storage of this page, for browsers without session storage. @type {SeatKey | null} */
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
      // Private windows may have no storage. The seat then lasts as long as the page.
    }
  }

  forget() {
    this.#own = null;
    try {
      sessionStorage.removeItem(this.#name);
    } catch {
      // Without storage there is no entry to delete.
    }
  }
}
