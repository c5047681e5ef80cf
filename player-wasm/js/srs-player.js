// The one line for any page: <script src="https://host/srs-player.js"></script>
//
// Defines <srs-player> and `new SrsPlayer(selectorOrElement, url).play()`. A classic script, so that it
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

  // Names of srs.sdk.js. Its pages want the connection and the stream at once; the rest comes when it is used.
  for (const name of ['SrsRtcPlayerAsync', 'SrsRtcWhipWhepAsync']) {
    page[name] ??= class {
      pc = /** @type {RTCPeerConnection | null} */ (new RTCPeerConnection());
      stream = new MediaStream();
      constructor() { /** @type {any} */ (this.pc).ontrack = (/** @type {RTCTrackEvent} */ event) => this.ontrack(event); }
      /** @param {RTCTrackEvent} event */
      ontrack(event) { this.stream.addTrack(event.track); }
      /** @param {unknown[]} args */
      play(...args) { return import(`${folder}sdk.js`).then((sdk) => sdk[name].prototype.play.apply(this, args)); }
      close() {
        const { leave, pc } = /** @type {any} */ (this);
        /** @type {any} */ (this).leave = this.pc = null;
        if (leave) leave();
        else pc?.close();
      }
    };
  }
})();
