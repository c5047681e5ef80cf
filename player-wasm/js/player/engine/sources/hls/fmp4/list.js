// Reads playlists of fragmented MP4 (RFC 8216).

/** A part of a resource. @typedef {{ url: string, range: string }} Part */
/**
 * A segment.
 * @typedef {object} Segment
 * @property {number} number its media sequence number
 * @property {Part} part
 * @property {Part | null} map its initialisation section
 * @property {number} duration in seconds
 * @property {boolean} discontinuity
 * @property {number} hole seconds before it that no segment has
 * @property {number} start media time in seconds, filled in by {@link follow}
 */
/**
 * A media playlist.
 * @typedef {object} List
 * @property {Segment[]} segments
 * @property {boolean} ended
 * @property {boolean} encrypted
 */
/** A master playlist: the variants as a line each, and the audio of its own by group. @typedef {{ variants: string, groups: Map<string, string>, audio: Map<string, string> }} Master */

/** The attributes of a tag. @param {string} list */
function attributes(list) {
  /** @type {Record<string, string | undefined>} */ const found = {};
  for (const [, name, quoted, plain] of list.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))/g)) found[name] = quoted ?? plain;
  return found;
}

/** @param {string} base @param {string} url @param {string} [range] `length@offset` @param {number} [after] offset if the range has none */
function part(base, url, range, after = 0) {
  if (!range) return { url: new URL(url, base).href, range: '', end: 0 };
  const [length, offset = after] = range.split('@').map(Number);
  return { url: new URL(url, base).href, range: `bytes=${offset}-${offset + length - 1}`, end: offset + length };
}

/**
 * Reads a master playlist; undefined if the text is a media playlist.
 * @param {string} text
 * @returns {Master | undefined}
 */
export function readMaster(text) {
  if (!/^#EXT-X-STREAM-INF/m.test(text)) return undefined;
  const groups = new Map(), audio = new Map();
  let variants = '';
  /** @type {Record<string, string | undefined> | null} */ let next = null;
  for (const line of text.split(/\r?\n/)) {
    const [, tag, value] = /^#EXT-X-([A-Z-]+):(.*)/.exec(line) ?? [];
    if (tag === 'STREAM-INF') next = attributes(value);
    if (tag === 'MEDIA') {
      const { TYPE, URI, 'GROUP-ID': group = '', DEFAULT } = attributes(value);
      if (TYPE === 'AUDIO' && URI && (DEFAULT === 'YES' || !audio.has(group))) audio.set(group, URI);
    }
    if (line && !line.startsWith('#') && next) {
      variants += `${next.BANDWIDTH ?? ''}\t${next.CODECS ?? ''}\t${line.trim()}\n`;
      if (next.AUDIO) groups.set(line.trim(), next.AUDIO);
      next = null;
    }
  }
  return { variants, groups, audio };
}

/**
 * Reads a media playlist; undefined if the text is none.
 * @param {string} text
 * @param {string} base its address
 * @returns {List | undefined}
 */
export function readList(text, base) {
  if (!text.startsWith('#EXTM3U')) return undefined;
  /** @type {List} */ const list = { segments: [], ended: false, encrypted: false };
  let number = 0, duration = 0, range = '', end = 0, url = '', discontinuity = false, gap = false, hole = 0;
  /** @type {Part | null} */ let map = null;
  for (const line of text.split(/\r?\n/)) {
    const [, tag, value = ''] = /^#EXT-?X?-?([A-Z-]+):?(.*)/.exec(line) ?? [];
    switch (tag) {
      case 'INF': duration = parseFloat(value) || 0; break;
      case 'MEDIA-SEQUENCE': number = parseInt(value, 10) || 0; break;
      case 'BYTERANGE': range = value; break;
      case 'DISCONTINUITY': discontinuity = true; break;
      case 'GAP': gap = true; break;
      case 'ENDLIST': list.ended = true; break;
      case 'KEY': list.encrypted ||= !/METHOD=NONE/.test(value); break;
      case 'MAP': {
        const { URI, BYTERANGE } = attributes(value);
        map = URI ? part(base, URI, BYTERANGE) : null;
        break;
      }
      default:
        if (!line || line.startsWith('#')) break;
        const found = part(base, line.trim(), range, found_end(url, line, end));
        if (!gap) list.segments.push({ number, part: found, map, duration, discontinuity, hole, start: 0 });
        [url, end, range, discontinuity, hole, gap] = [line, found.end, '', gap && discontinuity, gap ? hole + duration : 0, false];
        number++;
    }
  }
  return list;
}

/** Where a range begins that does not say so: after the one before, in the same resource. @param {string} before @param {string} url @param {number} end */
const found_end = (before, url, end) => (before === url ? end : 0);

/**
 * Fills in when the segments start: they continue the list before; a first list begins at 0.
 * @param {List} list
 * @param {List | null} before
 */
export function follow(list, before) {
  const first = list.segments[0];
  const known = before?.segments.find(({ number }) => number === first?.number);
  const last = before?.segments.at(-1);
  // A server that has begun again counts from the start.
  let time = known ? known.start : last ? last.start + last.duration : 0;
  for (const segment of list.segments) {
    segment.start = known && segment === first ? time : time + segment.hole;
    time = segment.start + segment.duration;
  }
}
