// Which tiles a layout shows, where, and which of a participant's streams each needs.

/** @typedef {import('../net/room-messages.js').Person} Person */
/** @typedef {import('../net/room-messages.js').Layout} Layout */
/** @typedef {'full' | 'small' | 'screen' | 'none'} Picture */
/**
 * @typedef {object} Placed a tile
 * @property {string} id of the tile: the participant's, with `~screen` for a shared screen
 * @property {string} person
 * @property {boolean} large
 * @property {boolean} screen
 */

/** The layouts in the order in which a button goes through them. @type {Layout[]} */
export const LAYOUTS = ['grid', 'speaker', 'side'];
/** So many pictures of others are shown in full size beside each other; of more, tiles show the small ones. */
const MAX_FULL = 2;

/**
 * The tiles of a layout, the large ones first.
 * @param {object} scene
 * @param {Person[]} scene.people those with a seat, in the order of their arrival
 * @param {Layout} scene.layout
 * @param {string | null} scene.spotlight
 * @param {string | null} scene.speaker
 * @param {string} scene.me
 * @returns {Placed[]}
 */
export function place({ people, layout, spotlight, speaker, me }) {
  const has = (/** @type {string | null} */ id) => people.some((person) => person.id === id);
  const tile = (/** @type {Person} */ { id }, large = false) => ({ id, person: id, large, screen: false });
  const screens = people.filter(({ screen }) => screen).map(({ id }) => ({ id: `${id}~screen`, person: id, large: true, screen: true }));
  if (layout === 'screen' && screens.length) return [...screens, ...people.map((person) => tile(person))];
  const small = screens.map((screen) => ({ ...screen, large: false }));
  if (layout === 'grid' || people.length < 2) return [...small, ...people.map((person) => tile(person))];
  const others = people.filter(({ id }) => id !== me);
  // One's own picture becomes large only if one is alone, or in the spotlight.
  const first = has(spotlight) ? spotlight : has(speaker) && speaker !== me ? speaker : others[0]?.id ?? me;
  const large = [first];
  if (layout === 'side') large.push(people.find(({ id }) => id !== first && id !== me)?.id ?? people.find(({ id }) => id !== first)?.id ?? null);
  const sorted = [...people].sort((a, b) => at(large, a.id) - at(large, b.id));
  return [...sorted.slice(0, large.length).map((person) => tile(person, true)), ...small, ...sorted.slice(large.length).map((person) => tile(person))];
}

/** @param {(string | null)[]} list @param {string} id */
const at = (list, id) => (list.indexOf(id) < 0 ? list.length : list.indexOf(id));

/**
 * Which picture a tile needs.
 * @param {Placed} tile
 * @param {Person} person
 * @param {object} scene
 * @param {boolean} scene.visible the tile is on the screen
 * @param {number} scene.others how many tiles of others there are
 * @param {'good' | 'poor' | 'bad'} scene.network
 * @param {boolean} [scene.full] always the full picture: for a broadcast
 * @returns {Picture}
 */
export function pictureOf(tile, person, { visible, others, network, full = false }) {
  if (!visible || (network === 'bad' && !tile.screen)) return 'none';
  if (tile.screen) return person.screen ? 'screen' : 'none';
  if (!person.video && !person.encoder) return 'none';
  const large = full || ((tile.large || others <= MAX_FULL) && network === 'good');
  if (person.stream && (large || !person.small)) return 'full';
  return person.small ? 'small' : 'none';
}

/**
 * The number of columns in which `count` tiles of 16:9 become largest.
 * @param {number} count
 * @param {number} width of the stage
 * @param {number} height of the stage
 */
export function columns(count, width, height) {
  let best = { columns: 1, area: 0 };
  for (let tried = 1; tried <= count; tried++) {
    const rows = Math.ceil(count / tried);
    const [cellWidth, cellHeight] = [width / tried, height / rows];
    // A picture may be cropped until it is square, but not more.
    const shown = Math.min(cellWidth, cellHeight * 16 / 9);
    const area = shown * Math.min(cellHeight, shown);
    if (area > best.area * 1.02) best = { columns: tried, area };
  }
  return best.columns;
}
