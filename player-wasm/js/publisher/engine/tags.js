// Writes FLV tags for the output of WebCodecs.

const AUDIO = 8;
const VIDEO = 9;
/** Enhanced FLV: the low bits are a packet type, and the FourCC of the codec follows. */
const OPUS = [0x4f, 0x70, 0x75, 0x73];

/** Returns the header of the file. @param {boolean} audio @param {boolean} video */
export const flvHeader = (audio, video) =>
  Uint8Array.of(0x46, 0x4c, 0x56, 1, (audio ? 4 : 0) | (video ? 1 : 0), 0, 0, 0, 9, 0, 0, 0, 0);

/**
 * Returns a tag, followed by its size.
 * @param {number} type
 * @param {number} time in milliseconds
 * @param {number[]} head of the body
 * @param {AllowSharedBufferSource | EncodedAudioChunk} data
 */
function tag(type, time, head, data) {
  const size = head.length + data.byteLength;
  const out = new Uint8Array(11 + size + 4);
  const view = new DataView(out.buffer);
  view.setUint32(0, type * 0x1000000 + size);
  view.setUint32(4, (time & 0xffffff) << 8 | (time >>> 24 & 0xff));
  out.set(head, 11);
  const body = out.subarray(11 + head.length, 11 + size);
  if ('copyTo' in data) data.copyTo(body);
  else body.set(ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));
  view.setUint32(11 + size, 11 + size);
  return out;
}

/** Returns the tag of the decoder configuration (avcC). @param {number} time @param {AllowSharedBufferSource} avcc */
export const videoSequence = (time, avcc) => tag(VIDEO, time, [0x17, 0, 0, 0, 0], avcc);

/** Returns the tag of a frame. There are no B-frames. @param {number} time @param {boolean} key @param {Uint8Array[]} units NAL units */
export function videoFrame(time, key, units) {
  const data = new Uint8Array(units.reduce((size, unit) => size + 4 + unit.length, 0));
  const view = new DataView(data.buffer);
  let at = 0;
  for (const unit of units) {
    view.setUint32(at, unit.length);
    data.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return tag(VIDEO, time, [key ? 0x17 : 0x27, 1, 0, 0, 0], data);
}

/** Returns the tag of the decoder configuration (OpusHead, RFC 7845). @param {number} time @param {AllowSharedBufferSource} head */
export const audioSequence = (time, head) => tag(AUDIO, time, [0x90, ...OPUS], head);

/** @param {number} time @param {EncodedAudioChunk} chunk */
export const audioFrame = (time, chunk) => tag(AUDIO, time, [0x91, ...OPUS], chunk);
