// QR codes (ISO/IEC 18004): bytes at error correction level L, drawn as SVG. Loaded only where one is shown.

/** Codewords of error correction per block, and blocks, by version: level L. */
const CORRECTION = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28];
const BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8];

/** Multiplies in the field of 256 elements whose polynomial is 0x11d. @param {number} a @param {number} b */
function multiply(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) product = product << 1 ^ (product >>> 7) * 0x11d ^ (b >>> bit & 1) * a;
  return product;
}

/** The codewords of error correction of a block. @param {number[]} data @param {number} count */
function corrected(data, count) {
  const generator = Array(count).fill(0);
  generator[count - 1] = 1;
  let root = 1;
  for (let power = 0; power < count; power++) {
    for (let at = 0; at < count; at++) generator[at] = multiply(generator[at], root) ^ (generator[at + 1] ?? 0);
    root = multiply(root, 2);
  }
  const rest = Array(count).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift();
    rest.push(0);
    generator.forEach((one, at) => { rest[at] ^= multiply(one, factor); });
  }
  return rest;
}

/** Centres of the alignment patterns. @param {number} version */
function alignments(version) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, at) => version * 4 + 10 - (count - 2 - at) * step)];
}

/** Modules that carry codewords. @param {number} version */
function capacity(version) {
  const count = alignments(version).length;
  return (16 * version + 128) * version + 64 - (count ? (25 * count - 10) * count - 55 : 0) - (version >= 7 ? 36 : 0);
}

/** @param {number} version */
const dataCodewords = (version) => Math.floor(capacity(version) / 8) - /** @type {number} */ (CORRECTION[version - 1]) * /** @type {number} */ (BLOCKS[version - 1]);

/** The codewords of a text, with their correction, in the order in which they are drawn. @param {Uint8Array} bytes @param {number} version */
function codewords(bytes, version) {
  /** @type {number[]} */
  const bits = [];
  const put = (/** @type {number} */ value, /** @type {number} */ length) => { for (let at = length - 1; at >= 0; at--) bits.push(value >>> at & 1); };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  const room = dataCodewords(version);
  put(0, Math.min(4, room * 8 - bits.length));
  put(0, -bits.length & 7);
  const data = Array.from({ length: bits.length / 8 }, (_, at) => Number.parseInt(bits.slice(at * 8, at * 8 + 8).join(''), 2));
  for (let pad = 0xec; data.length < room; pad ^= 0xec ^ 0x11) data.push(pad);
  const blocks = /** @type {number} */ (BLOCKS[version - 1]);
  const short = Math.floor(room / blocks);
  const longer = blocks - room % blocks;
  /** @type {number[][]} */
  const parts = [];
  for (let at = 0, block = 0; block < blocks; block++) {
    const length = short + (block >= longer ? 1 : 0);
    parts.push(data.slice(at, at + length));
    at += length;
  }
  const corrections = parts.map((part) => corrected(part, /** @type {number} */ (CORRECTION[version - 1])));
  const woven = (/** @type {number[][]} */ all) => Array.from({ length: Math.max(...all.map(({ length }) => length)) }, (_, at) => all.flatMap((one) => one[at] ?? [])).flat();
  return [...woven(parts), ...woven(corrections)];
}

const MASKS = [
  (/** @type {number} */ x, /** @type {number} */ y) => (x + y) % 2, (/** @type {number} */ _, /** @type {number} */ y) => y % 2,
  (/** @type {number} */ x) => x % 3, (/** @type {number} */ x, /** @type {number} */ y) => (x + y) % 3,
];

/**
 * The modules of a code: true is dark.
 * @param {string} text at most 858 bytes of UTF-8
 * @returns {boolean[][]}
 */
export function qrModules(text) {
  const bytes = new TextEncoder().encode(text);
  const version = CORRECTION.findIndex((_, at) => dataCodewords(at + 1) * 8 >= 4 + (at < 9 ? 8 : 16) + bytes.length * 8) + 1;
  if (!version) throw new RangeError('the text is too long for a QR code');
  const size = version * 4 + 17;
  /** Undefined: a module of data. @type {(boolean | undefined)[][]} */
  const fixed = Array.from({ length: size }, () => Array(size));
  const set = (/** @type {number} */ x, /** @type {number} */ y, /** @type {boolean} */ dark) => { if (x >= 0 && y >= 0 && x < size && y < size) /** @type {(boolean | undefined)[]} */ (fixed[y])[x] = dark; };
  for (let at = 0; at < size; at++) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  const rings = (/** @type {number} */ cx, /** @type {number} */ cy, /** @type {number} */ radius, /** @type {number[]} */ light) => {
    for (let y = -radius; y <= radius; y++) for (let x = -radius; x <= radius; x++) set(cx + x, cy + y, !light.includes(Math.max(Math.abs(x), Math.abs(y))));
  };
  const centres = alignments(version);
  const last = centres.length - 1;
  centres.forEach((x, i) => centres.forEach((y, j) => {
    if (!((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0))) rings(x, y, 2, [1]);
  }));
  for (const [x, y] of /** @type {[number, number][]} */ ([[3, 3], [size - 4, 3], [3, size - 4]])) rings(x, y, 4, [2, 4]);
  if (version >= 7) {
    let rest = version;
    for (let bit = 0; bit < 12; bit++) rest = rest << 1 ^ (rest >>> 11) * 0x1f25;
    const bits = version << 12 | rest;
    for (let bit = 0; bit < 18; bit++) {
      const [a, b] = [size - 11 + bit % 3, Math.floor(bit / 3)];
      set(a, b, (bits >>> bit & 1) === 1);
      set(b, a, (bits >>> bit & 1) === 1);
    }
  }
  format(set, size, 0);
  const data = codewords(bytes, version);
  const order = path(fixed, size);
  const drawn = MASKS.map((mask, number) => {
    const all = fixed.map((row) => [...row]);
    order.forEach(([x, y], at) => {
      const bit = ((data[at >>> 3] ?? 0) >>> (7 - (at & 7)) & 1) === 1;
      /** @type {(boolean | undefined)[]} */ (all[y])[x] = bit !== (mask(x, y) === 0);
    });
    format((x, y, dark) => { /** @type {(boolean | undefined)[]} */ (all[y])[x] = dark; }, size, number);
    return all.map((row) => row.map(Boolean));
  });
  return /** @type {boolean[][]} */ ([...drawn].sort((a, b) => penalty(a) - penalty(b))[0]);
}

/** The format: level L, and the mask. @param {(x: number, y: number, dark: boolean) => void} set @param {number} size @param {number} mask */
function format(set, size, mask) {
  const data = 1 << 3 | mask;
  let rest = data;
  for (let bit = 0; bit < 10; bit++) rest = rest << 1 ^ (rest >>> 9) * 0x537;
  const bits = (data << 10 | rest) ^ 0x5412;
  for (let bit = 0; bit < 15; bit++) {
    const dark = (bits >>> bit & 1) === 1;
    if (bit < 6) set(8, bit, dark);
    else if (bit < 8) set(8, bit + 1, dark);
    else set(bit === 8 ? 7 : 14 - bit, 8, dark);
    if (bit < 8) set(size - 1 - bit, 8, dark);
    else set(8, size - 15 + bit, dark);
  }
  set(8, size - 8, true);
}

/** The modules of data, in the zigzag in which they are filled. @param {(boolean | undefined)[][]} fixed @param {number} size @returns {[number, number][]} */
function path(fixed, size) {
  /** @type {[number, number][]} */
  const all = [];
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    const up = (right + 1 & 2) === 0;
    for (let step = 0; step < size; step++) for (const x of [right, right - 1]) {
      const y = up ? size - 1 - step : step;
      if (fixed[y]?.[x] === undefined) all.push([x, y]);
    }
  }
  return all;
}

/** How hard a code is to read: long runs and large areas of one colour, and too much of one. @param {boolean[][]} rows */
function penalty(rows) {
  const size = rows.length;
  let [sum, dark] = [0, 0];
  const at = (/** @type {number} */ x, /** @type {number} */ y) => rows[y]?.[x] ?? false;
  for (let a = 0; a < size; a++) for (const read of [(/** @type {number} */ b) => at(a, b), (/** @type {number} */ b) => at(b, a)]) {
    let run = 0;
    for (let b = 0; b < size; b++) {
      run = b && read(b) === read(b - 1) ? run + 1 : 1;
      if (run === 5) sum += 3;
      else if (run > 5) sum++;
      if (b <= size - 11) {
        const text = Array.from({ length: 11 }, (_, c) => (read(b + c) ? 1 : 0)).join('');
        if (text === '10111010000' || text === '00001011101') sum += 40;
      }
    }
  }
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
    if (at(x, y)) dark++;
    if (x && y && at(x, y) === at(x - 1, y) && at(x, y) === at(x, y - 1) && at(x, y) === at(x - 1, y - 1)) sum += 3;
  }
  return sum + Math.floor(Math.abs(dark * 20 / size / size - 10)) * 10;
}

/** A QR code as a picture, with its quiet zone. @param {string} text */
export function qrSvg(text) {
  const rows = qrModules(text);
  const size = rows.length + 8;
  const make = (/** @type {string} */ tag, /** @type {Record<string, string>} */ attributes) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const svg = make('svg', { viewBox: `0 0 ${size} ${size}`, 'shape-rendering': 'crispEdges', 'aria-hidden': 'true' });
  const d = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))).join('');
  svg.append(make('path', { d: `M0 0h${size}v${size}H0z`, fill: '#fff' }), make('path', { d, fill: '#000' }));
  return svg;
}
