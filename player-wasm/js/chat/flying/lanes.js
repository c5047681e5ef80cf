// Chooses the lane and the start of a flying message, so that messages never overlap.

/** Minimum distance in pixels between two messages of a lane. */
const GAP = 24;

/**
 * Lanes for messages. All messages cross the box in the same time, so long messages are faster than short ones.
 */
export class Lanes {
  /** For each lane: the time when the end of its last message enters the box, and the time when it leaves the box. @type {{ entered: number, left: number }[]} */
  #lanes = [];
  #duration;

  /** @param {number} duration milliseconds in which a message crosses the box */
  constructor(duration) {
    this.#duration = duration;
  }

  /**
   * Reserves a place for a message. Returns none if no lane is free soon enough.
   * @param {number} now milliseconds
   * @param {number} width of the message
   * @param {number} box width of the box
   * @param {number} count of lanes
   * @param {number} patience milliseconds that the message may wait
   * @returns {{ lane: number, wait: number } | null}
   */
  place(now, width, box, count, patience) {
    const duration = this.#duration;
    let best = { lane: -1, start: Infinity };
    for (let lane = 0; lane < count; lane++) {
      const last = this.#lanes[lane];
      // A longer message is faster. It must not reach the left edge before the previous message has left the box.
      const start = last ? Math.max(now, last.entered, last.left - duration * box / (box + width)) : now;
      if (start < best.start) best = { lane, start };
    }
    const { lane, start } = best;
    if (lane < 0 || start - now > patience) return null;
    this.#lanes[lane] = { entered: start + duration * (width + GAP) / (box + width), left: start + duration };
    this.#lanes.length = Math.min(this.#lanes.length, count);
    return { lane, wait: start - now };
  }

  /** Forgets all messages. */
  clear() {
    this.#lanes = [];
  }
}
