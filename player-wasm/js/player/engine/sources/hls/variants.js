// Chooses a variant of a master playlist: one that the browser can decode and the network can deliver.

/** Bandwidth in bits per second that is assumed before the first measurement. */
const UNKNOWN = 1_000_000;
/** The share of the measured bandwidth that a variant may use. */
const SHARE = 0.8;
/** Size in bytes below which a segment is too small to measure the bandwidth. */
const TELLING = 16_384;

/** @typedef {{ bandwidth: number, codecs: string, uri: string }} Variant */

/** The variants of one master playlist. */
export class Variants {
  #list;
  #speed = UNKNOWN;
  #measured = false;

  /**
   * @param {string} text one variant per line: bandwidth, codecs and address, separated by tabs
   * @param {(mime: string) => boolean} plays
   */
  constructor(text, plays) {
    const all = text.split('\n').slice(0, -1).map((line) => {
      const [bandwidth, codecs, uri] = line.split('\t');
      return { bandwidth: parseInt(bandwidth, 10) || 0, codecs, uri };
    });
    const can = all.filter(({ codecs }) => !codecs || plays(`video/mp4; codecs="${codecs}"`));
    const list = can.length ? can : all;
    // Skip variants without video.
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
