// Converts H.264 from encoders (Annex B) for FLV.

const SPS = 7;
const PPS = 8;
const DELIMITER = 9;

/**
 * Returns the NAL units between start codes (ITU-T H.264, Annex B).
 * @param {Uint8Array} data
 */
function* nalUnits(data) {
  let start = -1;
  for (let at = 0; at + 2 < data.length; at++) {
    if (data[at] || data[at + 1] || data[at + 2] !== 1) continue;
    if (start >= 0) yield data.subarray(start, at);
    start = at + 3;
    at += 2;
  }
  if (start >= 0) yield data.subarray(start);
}

/** Removes the zeros that belong to the next start code. @param {Uint8Array} unit */
function trimmed(unit) {
  let end = unit.length;
  while (end && !unit[end - 1]) end--;
  return unit.subarray(0, end);
}

/**
 * Splits an access unit into its parameter sets and the rest.
 * @param {Uint8Array} data
 */
export function takeApart(data) {
  /** @type {Uint8Array[]} */ const sps = [];
  /** @type {Uint8Array[]} */ const pps = [];
  /** @type {Uint8Array[]} */ const units = [];
  for (const unit of nalUnits(data)) {
    const whole = trimmed(unit);
    const type = (whole[0] ?? DELIMITER) & 31;
    if (type !== DELIMITER) (type === SPS ? sps : type === PPS ? pps : units).push(whole);
  }
  return { sps, pps, units };
}

/**
 * Creates the decoder configuration record (`avcC`, ISO/IEC 14496-15 5.3.3.1), with lengths of 4 bytes. The record of
 * Firefox is broken.
 * @param {Uint8Array[]} sps at least one
 * @param {Uint8Array[]} pps
 */
export function avcc(sps, pps) {
  const sets = (/** @type {Uint8Array[]} */ list) => list.flatMap((set) => [set.length >> 8, set.length & 255, ...set]);
  const [, profile = 0, compatibility = 0, level = 0] = /** @type {Uint8Array} */ (sps[0]);
  // Browsers encode 4:2:0 in 8 bits. The record of the High profile must contain these values.
  const format = profile === 100 ? [0xfd, 0xf8, 0xf8, 0] : [];
  return Uint8Array.of(1, profile, compatibility, level, 0xff,
    0xe0 | sps.length, ...sets(sps), pps.length, ...sets(pps), ...format);
}
