// Reads what MediaSource needs to know of fragmented MP4: the codecs, and the time at which a segment begins.

/** @typedef {{ id: number, timescale: number }} Track */

/** @param {Uint8Array} data */
const view = (data) => new DataView(data.buffer, data.byteOffset, data.byteLength);
const text = (/** @type {Uint8Array} */ data, at = 0) => String.fromCharCode(...data.subarray(at, at + 4));
const hex = (/** @type {number} */ byte) => byte.toString(16).padStart(2, '0');
const two = (/** @type {number} */ number) => String(number).padStart(2, '0');

/**
 * The boxes of one level: type and content. It ends at the first damaged one.
 * @param {Uint8Array} data
 * @returns {Generator<[string, Uint8Array]>}
 */
function* boxes(data) {
  for (let at = 0; at + 8 <= data.length;) {
    const head = view(data.subarray(at));
    let size = head.getUint32(0), start = 8;
    if (size === 1 && at + 16 <= data.length) [size, start] = [Number(head.getBigUint64(8)), 16];
    if (size === 0) size = data.length - at;
    if (size < start || at + size > data.length) return;
    yield [text(data, at + 4), data.subarray(at + start, at + size)];
    at += size;
  }
}

/** The content of the first box on a path; undefined if there is none. @param {Uint8Array | undefined} data @param {...string} path */
function find(data, ...path) {
  for (const name of path) {
    if (!data) return undefined;
    let found;
    for (const [kind, content] of boxes(data)) {
      if (kind === name) {
        found = content;
        break;
      }
    }
    data = found;
  }
  return data;
}

/** The codec of a sample entry (RFC 6381, and each codec's binding to MP4). @param {string} kind @param {Uint8Array} entry */
function codec(kind, entry) {
  const inner = (/** @type {string} */ name, at = 78) => find(entry.subarray(at), name) ?? new Uint8Array(32);
  switch (kind) {
    case 'avc1': case 'avc3': return `${kind}.${[...inner('avcC').subarray(1, 4)].map(hex).join('')}`;
    case 'hvc1': case 'hev1': {
      const d = inner('hvcC');
      const space = ['', 'A', 'B', 'C'][d[1] >> 6];
      let flags = 0;
      for (let n = 0, bits = view(d).getUint32(2); n < 32; n++) if (bits >>> n & 1) flags |= 1 << (31 - n);
      const rest = [...d.subarray(6, 12)];
      while (rest.length && !rest.at(-1)) rest.pop();
      const tail = rest.map((byte) => `.${byte.toString(16)}`).join('');
      return `${kind}.${space}${d[1] & 31}.${(flags >>> 0).toString(16)}.${d[1] & 32 ? 'H' : 'L'}${d[12]}${tail}`.replace(/\..*/, (s) => s.toUpperCase());
    }
    case 'av01': {
      const d = inner('av1C');
      return `av01.${d[1] >> 5}.${two(d[1] & 31)}${d[2] & 128 ? 'H' : 'M'}.${two(8 + (d[2] >> 6 & 1) * 2 + (d[2] >> 5 & 1) * 2)}`;
    }
    case 'vp08': case 'vp09': {
      const d = inner('vpcC');
      return `${kind}.${two(d[4])}.${two(d[5])}.${two(d[6] >> 4)}`;
    }
    case 'mp4a': {
      const esds = inner('esds', 28);
      // DecoderConfigDescriptor, whose size has one to four bytes; then DecoderSpecificInfo.
      const at = esds.indexOf(4, 7);
      const size = (/** @type {number} */ from) => { while (esds[from] & 128) from++; return from + 1; };
      const object = esds[size(at + 1)];
      if (object !== 0x40) return `mp4a.${object?.toString(16).toUpperCase()}`;
      const info = esds.subarray(size(size(at + 1) + 14));
      return `mp4a.40.${info[0] >> 3 === 31 ? 32 + ((info[0] & 7) << 3 | info[1] >> 5) : info[0] >> 3}`;
    }
    default: return kind === 'Opus' ? 'opus' : kind;
  }
}

/**
 * Reads an initialisation section.
 * @param {Uint8Array} data
 * @returns {{ mime: string, codecs: string[], tracks: Track[] } | undefined} undefined: it is none
 */
export function readInit(data) {
  const moov = find(data, 'moov');
  if (!moov) return undefined;
  const tracks = [], codecs = [];
  let video = false;
  for (const [kind, trak] of boxes(moov)) {
    const tkhd = find(trak, 'tkhd'), mdhd = find(trak, 'mdia', 'mdhd'), hdlr = find(trak, 'mdia', 'hdlr');
    const stsd = find(trak, 'mdia', 'minf', 'stbl', 'stsd');
    if (kind !== 'trak' || !tkhd || !mdhd || !hdlr || !stsd) continue;
    const handler = text(hdlr, 8);
    if (handler !== 'vide' && handler !== 'soun') continue;
    video ||= handler === 'vide';
    const [entry] = boxes(stsd.subarray(8));
    codecs.push(codec(...entry));
    tracks.push({ id: view(tkhd).getUint32(tkhd[0] ? 20 : 12), timescale: view(mdhd).getUint32(mdhd[0] ? 20 : 12) });
  }
  if (!tracks.length) return undefined;
  return { mime: `${video ? 'video' : 'audio'}/mp4; codecs="${codecs.join(',')}"`, codecs, tracks };
}

/**
 * The media time in seconds at which a segment begins: that of its first fragment.
 * @param {Uint8Array} data
 * @param {Track[]} tracks
 */
export function timeOf(data, tracks) {
  let first = Infinity;
  for (const [kind, traf] of boxes(find(data, 'moof') ?? new Uint8Array())) {
    const tfhd = kind === 'traf' && find(traf, 'tfhd'), tfdt = kind === 'traf' && find(traf, 'tfdt');
    if (!tfhd || !tfdt) continue;
    const track = tracks.find(({ id }) => id === view(tfhd).getUint32(4));
    const time = tfdt[0] ? Number(view(tfdt).getBigUint64(4)) : view(tfdt).getUint32(4);
    if (track) first = Math.min(first, time / track.timescale);
  }
  return Number.isFinite(first) ? first : undefined;
}
