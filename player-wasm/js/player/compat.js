// `new SrsPlayer(selectorOrElement, url).play()`: the API of existing pages.

/** @typedef {import('../types/index.js').SrsPlayerOptions} Options */

/**
 * Plays a stream in an element of the page: an `<srs-player>` gets the address; a `<video>` shows the stream, and the
 * page keeps it and its controls; any other element gets a new `<srs-player>` inside.
 */
export class SrsPlayer {
  /** @type {import('./engine/player.js').Player | null} */
  #player = null;
  #made = false;

  /**
   * @param {string | Element | ArrayLike<Element>} target a selector, an element, or a jQuery object
   * @param {string} url
   * @param {Options} [options]
   */
  constructor(target, url, options = {}) {
    const found = typeof target === 'string' ? document.querySelector(target)
      : target instanceof Element ? target : target?.[0];
    if (!found) throw new TypeError(`SrsPlayer: nothing on the page is ${String(target)}`);
    this.url = url;
    this.options = options;
    /** Returns the element that shows the stream: an `<srs-player>`, or the page's own `<video>`. @type {any} */
    this.element = found;
    if (found instanceof HTMLVideoElement) return;
    if (found.localName !== 'srs-player') {
      this.element = document.createElement('srs-player');
      this.element.setAttribute('controls', '');
      found.append(this.element);
      this.#made = true;
    }
    const { token, ...attributes } = options;
    if (token) this.element.token = token;
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === 'boolean') this.element.toggleAttribute(name, value);
      else if (value != null) this.element.setAttribute(name, String(value));
    }
    this.element.setAttribute('url', url);
  }

  /** Plays. @returns {Promise<void>} */
  async play() {
    if (!(this.element instanceof HTMLVideoElement)) return this.element.play();
    this.#player ??= await this.#open(this.element);
    return this.#player.play();
  }

  /** Pauses. */
  pause() {
    this.element.pause();
  }

  /** Stops playing, closes the connection, and removes the elements that it added to the page. */
  destroy() {
    this.#player?.destroy();
    this.#player = null;
    if (!(this.element instanceof HTMLVideoElement)) this.element.removeAttribute('url');
    if (this.#made) this.element.remove();
  }

  /** @param {HTMLVideoElement} video */
  async #open(video) {
    const { Player } = await import('./engine/player.js');
    const { latency, retry, protocol, token, base } = this.options;
    const given = Object.entries({ latency, retry, protocol, token, base }).filter(([, value]) => value !== undefined);
    const player = new Player(video, Object.fromEntries(given));
    player.addEventListener('warning', (event) => {
      // The page's own controls show that it is muted.
      if (/** @type {CustomEvent} */ (event).detail.code !== 'autoplay-blocked' || video.muted) return;
      video.muted = true;
      player.play().catch(() => {});
    });
    player.load(this.url);
    return player;
  }
}
