// Sentences about media that cannot be played, with advice. Fetched when they are needed.

const NO_DECODER = (/** @type {string} */ codec) => `This browser has no decoder for ${codec} video. Publish H.264, which all browsers play.`;

/** @type {Record<string, string>} */
const SENTENCES = {
  'no-MP3': 'This browser cannot play MP3 in live streams; the video plays without audio. Publish the audio as AAC.',
  'no-sound': 'The audio of this stream has a codec that the player cannot read; the video plays without it. Publish the audio as AAC.',
  'no-VP8': 'Browsers play VP8 video by WebRTC only: open the webrtc:// address of this stream, or publish H.264.',
  'no-H.265': NO_DECODER('H.265'),
  'no-AV1': NO_DECODER('AV1'),
  'no-VP9': NO_DECODER('VP9'),
  'no-picture': 'The video of this stream has a codec that the player cannot read. Publish H.264.',
};

/**
 * Returns the sentence for a notice of the engine, and its name for translators; none if the error code says it all.
 * @param {import('../../player_wasm.js').TrackName} track
 * @param {import('../../player_wasm.js').CodecName} [codec] none if the engine does not know the codec
 */
export function why(track, codec) {
  const word = codec ? `no-${codec}` : track === 'audio' ? 'no-sound' : 'no-picture';
  return SENTENCES[word] ? { word, text: SENTENCES[word] } : undefined;
}
