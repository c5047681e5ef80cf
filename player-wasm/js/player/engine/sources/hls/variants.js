// Chooses a variant of a master playlist that the browser decodes and the network carries.

/** Bits per second that are assumed before anything was measured. */
const UNKNOWN = 1_000_000;
/** The part of the measured bandwidth that a variant may take. */
const SHARE = 0.8;
/** Segments smaller than this say nothing about the network. */
const TELLING = 16_384;

/** @typedef {{ bandwidth: number, codecs: string, uri: string }} Variant */

/** Chooses among the variants of one master playlist. */
export class Variants {
  #list;
  #speed = UNKNOWN;
  #measured = false;

  /**
   * @param {string} text a variant a line: bandwidth, codecs and address, with tabulators between
   * @param {(mime: string) => boolean} plays
   */
  constructor(text, plays) {
    const all = text.split('\n').slice(0, -1).map((line) => {
      const [bandwidth, codecs, uri] = line.split('\t');
      return { bandwidth: parseInt(bandwidth, 10) || 0, codecs, uri };
    });
    const can = all.filter(({ codecs }) => !codecs || plays(`video/mp4; codecs="${codecs}"`));
    const list = can.length ? can : all;
    // Variants of audio alone are for listeners.
    const seen = list.filter(({ codecs }) => !codecs || /avc|hvc|hev|av0|vp/.test(codecs));
    this.#list = (seen.length ? seen : list).sort((a, b) => a.bandwidth - b.bandwidth);
  }

  /** @returns {Variant} */
  choose() {
    const fits = this.#list.filter(({ bandwidth }) => bandwidth < this.#speed * SHARE);
    return fits.at(-1) ?? this.#list[0];
  }

  /** @param {number} bytes @param {number} milliseconds it took to load them */
  loaded(bytes, milliseconds) {
    if (bytes < TELLING) return;
    const speed = bytes * 8000 / Math.max(1, milliseconds);
    this.#speed = this.#measured ? 0.6 * speed + 0.4 * this.#speed : speed;
    this.#measured = true;
  }
}
