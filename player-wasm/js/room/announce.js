// Turns what happens in the room into sentences.

/** @typedef {import('../net/room-messages.js').Person} Person */
/** @typedef {(word: string, detail?: string) => string} Say */

/** Failures of publishing that have a sentence. */
const KNOWN = /^(permission|no-device|device-busy|capture|no-microphone|microphone-gone|no-screen|no-h264)$/;

/**
 * Listens to a room.
 * @param {import('./session.js').RoomSession} session
 * @param {import('./notices.js').Notices} notices
 * @param {() => Say} language
 */
export function announce(session, notices, language) {
  const { connection, publishing } = session;
  /** Participants as they were. @type {Map<string, Person>} */
  let known = new Map();
  const isSeated = (/** @type {Person | undefined} */ person) => person?.role === 'host' || person?.role === 'guest';
  /** @type {<T>(target: EventTarget, type: string, take: (detail: T) => void) => void} */
  const on = (target, type, take) => target.addEventListener(type, (event) => take(/** @type {CustomEvent} */ (event).detail));
  /** What the connection tells while this participant is in the room, or waits to be let in. @type {typeof on} */
  const heard = (target, type, take) => target.addEventListener(type, (event) => {
    if (session.inside || session.state === 'waiting') take(/** @type {CustomEvent} */ (event).detail);
  }, { signal: session.signal });
  const nameOf = (/** @type {string} */ id) => connection.people.get(id)?.name ?? known.get(id)?.name ?? id;

  const invite = (/** @type {string} */ host) => notices.show('invited', language()('invited', host), [
    { text: language()('accept'), act: () => void connection.send({ type: 'accept' }) },
    { text: language()('decline'), act: () => void connection.send({ type: 'decline' }) },
  ]);

  heard(connection, 'welcome', () => {
    known = new Map(connection.people);
    // A host may have asked while the connection was lost.
    const own = known.get(session.me?.id ?? '');
    const host = [...known.values()].find(({ role }) => role === 'host');
    if (own?.invited && own.role === 'audience') invite(host?.name ?? language()('role:host'));
    else notices.hide('invited');
  });
  heard(connection, 'person', (/** @type {{ person: Person }} */ { person }) => {
    const say = language();
    const before = known.get(person.id);
    known.set(person.id, person);
    if (person.id === session.me?.id) return;
    const { id, name } = person;
    if (isSeated(person) && !isSeated(before)) notices.show('came', say('came', name));
    if (person.hand && !before?.hand && !isSeated(person)) {
      notices.show(`hand ${id}`, say('raised', name), session.isHost ? [{ text: say('promote'), act: () => void connection.send({ type: 'promote', id, role: 'guest' }) }] : [], session.isHost ? say('close') : '');
    }
    if (!person.hand) notices.hide(`hand ${id}`);
    if (person.role === 'waiting' && before?.role !== 'waiting' && session.isHost) {
      notices.show(`knocks ${id}`, say('knocks', name), [{ text: say('admit'), act: () => void connection.send({ type: 'admit', id }) }], say('close'));
    }
    if (person.role !== 'waiting') notices.hide(`knocks ${id}`);
    if (person.screen && !before?.screen) notices.show('shares', say('shares', name));
  });
  heard(connection, 'left', (/** @type {{ id: string }} */ { id }) => {
    const before = known.get(id);
    known.delete(id);
    for (const key of ['knocks', 'hand']) notices.hide(`${key} ${id}`);
    if (isSeated(before) && before) notices.show('came', language()('went', before.name));
  });
  heard(connection, 'seat', (/** @type {{ role: string }} */ { role }) => {
    notices.hide('invited');
    if (role !== 'waiting') notices.show('seat', language()(role === 'audience' ? 'offStage' : 'onStage'));
  });
  heard(connection, 'mute_asked', (/** @type {{ by: string }} */ { by }) => {
    const say = language();
    if (!publishing.muted) notices.show('muteAsked', say('muteAsked', nameOf(by)), [{ text: say('muteNow'), act: () => session.mute({ muted: true }) }], say('close'));
  });
  heard(connection, 'invited', (/** @type {{ by: string }} */ { by }) => invite(nameOf(by)));
  heard(connection, 'declined', (/** @type {{ id: string }} */ { id }) => notices.show('declined', language()('declined', nameOf(id))));
  heard(connection, 'error', (/** @type {{ code: string, text: string, about?: string }} */ { code, text, about = '' }) => {
    // The chat shows its own errors, those of joining are on the card, and a broadcast's panel offers something else.
    if (!/^(join|chat|like)$/.test(about) && code !== 'cannot_mix') notices.show('problem', language()('problem', text));
  });
  on(session, 'state', (/** @type {{ state: string }} */ { state }) => {
    const say = language();
    if (state === 'joined') notices.hide('reconnecting');
    if (state === 'reconnecting') notices.show('reconnecting', say('reconnecting'), [], say('close'));
    if (state === 'closed' || state === 'refused') notices.clear();
  });
  on(session, 'network', () => notices.show('network', language()(`network:${session.network}`)));
  on(publishing, 'notice', (/** @type {{ code: string, detail: string }} */ { code, detail }) => {
    const say = language();
    const text = KNOWN.test(code) ? say(code, detail) : say('publish', detail || code);
    const mendable = /^(permission|no-device|device-busy|capture)$/.test(code);
    notices.show('publishing', text, mendable ? [{ text: say('again'), act: () => void publishing.again() }] : [], say('close'));
  });
  on(publishing, 'change', () => {
    if (publishing.state === 'live') notices.hide('publishing');
  });
  on(session, 'change', () => {
    const say = language();
    const inside = session.state === 'joined';
    if (inside && publishing.interrupted) {
      notices.show('interrupted', say('interrupted'), [{ text: say('resume'), act: () => {
        session.audio?.resume();
        void publishing.again();
      } }]);
    } else notices.hide('interrupted');
    if (inside && session.audio?.suspended) notices.show('suspended', say('suspended'), [{ text: say('listen'), act: () => session.audio?.resume() }]);
    else notices.hide('suspended');
  });
}
