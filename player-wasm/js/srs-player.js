// The one line for any page: <script src="https://host/srs-player.js"></script>
//
// Defines <srs-player> and `new SrsPlayer(selectorOrElement, url).play()`, and for publishing
// <srs-publisher> and `new SrsPublisher(selectorOrElement, url).publish()`. A classic script, so that it
// works where modules do not reach; the modules come from the folder beside it.
(() => {
  const page = /** @type {any} */ (window);
  if (page.SrsPlayer) return;
  const here = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  const folder = new URL('srs-player/', here).href;
  const parts = Promise.all([import(`${folder}element.js`), import(`${folder}compat.js`)]).then(([element, compat]) => {
    if (!customElements.get('srs-player')) customElements.define('srs-player', element.SrsPlayerElement);
    return compat.SrsPlayer;
  });
  parts.catch((error) => console.error('srs-player.js: the player cannot be loaded from', folder, error));

  /** There at once; what is asked of it before the modules have come is done then. */
  page.SrsPlayer = class SrsPlayer {
    /** @param {unknown[]} args */
    constructor(...args) {
      this.ready = parts.then((Real) => new Real(...args));
      this.ready.catch((error) => console.error(error));
    }
    play() { return this.ready.then((player) => player.play()); }
    pause() { return this.ready.then((player) => player.pause()); }
    destroy() { return this.ready.then((player) => player.destroy()); }
  };

  // What publishes comes only to pages that do.
  /** @type {Promise<any> | undefined} */
  let publisher;
  const publishing = () => publisher ??= import(`${folder}publisher.js`).then((module) => {
    if (!customElements.get('srs-publisher')) customElements.define('srs-publisher', module.SrsPublisherElement);
    return module.SrsPublisher;
  });
  page.SrsPublisher = class SrsPublisher {
    /** @param {unknown[]} args */
    constructor(...args) {
      this.ready = publishing().then((Real) => new Real(...args));
      this.ready.catch((error) => console.error(error));
    }
    publish() { return this.ready.then((publisher) => publisher.publish()); }
    stop() { return this.ready.then((publisher) => publisher.stop()); }
    destroy() { return this.ready.then((publisher) => publisher.destroy()); }
  };
  const elements = document.getElementsByTagName('srs-publisher');
  const look = () => {
    if (!elements.length) return;
    watch.disconnect();
    publishing().catch((error) => console.error(error));
  };
  const watch = new MutationObserver(look);
  watch.observe(document, { childList: true, subtree: true });
  look();

  // Names of srs.sdk.js. Its pages want the connection and the stream at once; the rest comes when it is used.
  for (const name of ['SrsRtcPlayerAsync', 'SrsRtcPublisherAsync', 'SrsRtcWhipWhepAsync']) {
    page[name] ??= function () {
      const pc = new RTCPeerConnection();
      /** @type {any} */
      const sdk = {
        pc,
        stream: new MediaStream(),
        constraints: { audio: true, video: { width: { ideal: 1280 }, height: { ideal: 720 } } },
        ontrack: (/** @type {RTCTrackEvent} */ event) => sdk.stream.addTrack(event.track),
        leave: () => pc.close(),
        play: (/** @type {unknown[]} */ ...args) => import(`${folder}sdk.js`).then(({ play }) => play(sdk, ...args)),
        publish: (/** @type {unknown[]} */ ...args) => import(`${folder}sdk-publish.js`).then(({ publish }) => publish(sdk, ...args)),
        close: () => { sdk.pc &&= sdk.leave(); },
      };
      pc.ontrack = (event) => sdk.ontrack(event);
      return sdk;
    };
  }
})();
