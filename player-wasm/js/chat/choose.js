// Chooses the stream for the audience of a room: the broadcast, or else a speaker.

/** Minimum milliseconds for which a speaker is shown, because each change starts another stream. */
const HOLD = 4_000;

/**
 * @typedef {import('../net/room-messages.js').Person} Person
 * @typedef {object} Stage what a connection knows
 * @property {{ stream: string | null } | null} live
 * @property {string | null} speaker
 * @property {{ spotlight: string | null } | null} room
 * @property {Map<string, Person>} people
 */

/** Chooses the stream to play. */
export class Choice {
  #stream = '';
  #since = -Infinity;

  /**
   * Returns the name of the stream to play; empty if nobody is on the stage.
   * @param {Stage} stage
   * @param {number} now milliseconds
   */
  stream({ live, speaker, room, people }, now) {
    const wanted = live?.stream ?? this.#person(people, [room?.spotlight ?? null, speaker]);
    const [...all] = people.values();
    const there = live?.stream === this.#stream || all.some(({ stream, screen }) => this.#stream !== '' && (stream === this.#stream || screen === this.#stream));
    const rests = !live && there && now - this.#since < HOLD;
    if (wanted === this.#stream || rests) return this.#stream;
    this.#since = now;
    return this.#stream = wanted;
  }

  /** Returns the milliseconds after which to choose again. @param {number} now */
  rest(now) {
    return Math.max(0, this.#since + HOLD - now);
  }

  /** Returns the stream of the first that exists: a shared screen, a wanted participant, the current participant, any other. @param {Map<string, Person>} people @param {(string | null)[]} wanted */
  #person(people, wanted) {
    const all = [...people.values()].filter(({ stream, screen }) => stream || screen);
    const shown = all.find(({ stream }) => stream === this.#stream);
    const one = all.find(({ screen }) => screen)
      ?? wanted.map((id) => all.find((person) => person.id === id)).find(Boolean) ?? shown ?? all.find(({ role }) => role === 'host') ?? all[0];
    return one?.screen ?? one?.stream ?? '';
  }
}
