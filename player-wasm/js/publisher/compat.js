// `new SrsPublisher(selectorOrElement, url).publish()`: the API of existing pages.

/** @typedef {import('../types/index.js').SrsPublisherOptions} PublishOptions */

/**
 * Publishes from an element of the page: an `<srs-publisher>` gets the address; a `<video>` becomes the
 * preview and stays the page's own; anything else gets an `<srs-publisher>` inside.
 */
export class SrsPublisher {
  #made = false;
  /** The page's own `<video>`, which shows the preview. @type {HTMLVideoElement | null} */
  #video = null;

  /**
   * @param {string | Element | ArrayLike<Element>} target a selector, an element, or a jQuery object
   * @param {string} url
   * @param {PublishOptions} [options] attributes; `token` is not written into an attribute
   */
  constructor(target, url, options = {}) {
    const found = typeof target === 'string' ? document.querySelector(target)
      : target instanceof Element ? target : target?.[0];
    if (!found) throw new TypeError(`SrsPublisher: nothing on the page is ${String(target)}`);
    this.url = url;
    /** Returns the element that publishes. @type {import('../types/index.js').SrsPublisherElement} */
    this.element = /** @type {import('../types/index.js').SrsPublisherElement} */ (found);
    if (found.localName !== 'srs-publisher') {
      this.element = document.createElement('srs-publisher');
      this.#made = true;
      if (found instanceof HTMLVideoElement) {
        // The element is hidden beside the video, because the page has its own buttons.
        this.#video = found;
        this.element.hidden = true;
        found.after(this.element);
      } else found.append(this.element);
    }
    const { token, ...attributes } = options;
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      if (typeof value === 'boolean') this.element.toggleAttribute(attribute, value);
      else if (value != null) this.element.setAttribute(attribute, String(value));
    }
    if (token) this.element.token = token;
    this.element.setAttribute('url', url);
  }

  /** Returns the published stream; null while nothing is captured. */
  get stream() { return this.element.stream; }

  /** Publishes. Resolves when the stream is live. @returns {Promise<void>} */
  async publish() {
    const video = this.#video;
    if (video) {
      const show = () => {
        if (video.srcObject !== this.stream) video.srcObject = this.stream;
        video.muted = true;
        if (this.stream) video.play().catch(() => {});
      };
      this.element.addEventListener('statechange', show);
    }
    return this.element.start();
  }

  /** Stops publishing. Resolves when the name is free. @returns {Promise<void>} */
  stop() { return this.element.stop(); }

  /** Stops publishing, and removes the elements that it added to the page. */
  destroy() {
    void this.element.stop();
    if (this.#made) this.element.remove();
    if (this.#video) this.#video.srcObject = null;
  }
}
