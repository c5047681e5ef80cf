/**
 * @typedef {import('../../../../player_ts.js').HlsFeature} HlsFeature
 * @typedef {import('../flv/loader.js').Target} Target
 */

/** The warning for a feature without which a playlist plays. @type {{ [feature in HlsFeature]?: string }} */
const SEPARATE = { 'audio of its own': 'audio-unsupported', 'subtitles of its own': 'no-captions' };

/** Returns a function that reports features of a playlist that are not supported, each warning once. @param {Target} target */
export function unsupported(target) {
  let warned = false;
  /** Returns whether the features end the stream. @param {HlsFeature[]} features */
  return (features) => {
    if (!features.length) return false;
    const text = `This HLS playlist has ${features.join(' and ')}, which the player cannot read, and this browser does not play HLS by itself.`;
    // Subtitles alone are not worth the delay of the browser's own HLS.
    if (target.native && features.some((feature) => feature !== 'subtitles of its own')) {
      target.other('native');
      return true;
    }
    if (!features.every((feature) => SEPARATE[feature])) {
      target.fail('unsupported-format', text);
      return true;
    }
    if (!warned) target.warn(/** @type {string} */ (SEPARATE[features[0]]), text);
    warned = true;
    return false;
  };
}
