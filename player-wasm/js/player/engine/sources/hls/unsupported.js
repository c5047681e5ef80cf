/**
 * @typedef {import('../../../../player_ts.js').HlsFeature} HlsFeature
 * @typedef {import('../flv/loader.js').Target} Target
 */

/** Warnings for features that are optional: the playlist plays without them. @type {{ [feature in HlsFeature]?: string }} */
const SEPARATE = { 'audio of its own': 'audio-unsupported', 'subtitles of its own': 'no-captions' };

/** Returns a function that reports features of a playlist that are not supported, each warning once. @param {Target} target */
export function unsupported(target) {
  let warned = false;
  /** Returns whether the features end the stream. @param {HlsFeature[]} features */
  return (features) => {
    if (!features.length) return false;
    const text = `The playlist has ${features.join(' and ')}, which the player and the browser cannot play.`;
    // Separate audio comes with it: other modules play both.
    if (features.includes('fragmented MP4') && features.every((feature) => feature !== 'encrypted segments')) {
      target.other('fmp4');
      return true;
    }
    // Subtitles alone do not justify the longer delay of the browser's own HLS.
    if (target.native && features.some((feature) => SEPARATE[feature] !== 'no-captions')) {
      target.other('native');
      return true;
    }
    const warning = features.every((feature) => SEPARATE[feature]) && SEPARATE[features[0]];
    if (!warning) target.fail('unsupported-format', text);
    else if (!warned) target.warn(warning, text);
    warned = true;
    return !warning;
  };
}
