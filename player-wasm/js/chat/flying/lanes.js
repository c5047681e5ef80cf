// In which lane a flying message starts, and when, so that messages never overlap.

/** Pixels between two messages of a lane. */
const GAP = 24;

/**
 * Lanes of messages that all cross the box in the same time: long ones are faster than short ones.
 */
export class Lanes {
  /** Of each lane: when the end of its last message is in the box, and when it has left it. @type {{ entered: number, left: number }[]} */
  #lanes = [];
  #duration;

  /** @param {number} duration milliseconds in which a message crosses the box */
  constructor(duration) {
    this.#duration = duration;
  }

  /**
   * Takes a place for a message; none: no lane is free soon enough.
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
      // A longer message is faster: it may reach the left edge only when the one before has left.
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
