// The script for any page: <script src="https://host/srs-player.js"></script>
//
// Defines <srs-player> and `new SrsPlayer(selectorOrElement, url).play()`, and for publishing
// <srs-publisher> and `new SrsPublisher(selectorOrElement, url).publish()`. A classic script, so that it
// works where modules are not possible; the modules come from the folder beside it.
(() => {
  const page = /** @type {any} */ (window);
  if (page.SrsPlayer) return;

  /**
   * Possible addresses of the folder, the most likely first. A module and evaluated code have no `currentScript`; a script that
   * was joined with others does not lie beside the folder.
   */
  function folders() {
    const own = /^[^?#]*\/srs-player([.-][\w.-]+)?\.js([?#]|$)/;
    const here = /** @type {HTMLScriptElement | null} */ (document.currentScript)?.src ?? '';
    const scripts = [...document.scripts].map(({ src }) => src).filter((src) => own.test(src));
    const fetched = performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => own.test(name));
    const said = document.querySelector('srs-player[base],srs-publisher[base]')?.getAttribute('base');
    const beside = [...(own.test(here) ? [here] : []), ...scripts, ...fetched].map((src) => new URL('srs-player/', src).href);
    return [...new Set([
      ...beside, ...(said ? [new URL(said, document.baseURI).href] : []), ...(here ? [new URL('srs-player/', here).href] : []),
    ])];
  }

  let folder = '';
  /** @param {string[]} all @returns {Promise<any>} */
  async function load([first, ...others]) {
    try {
      if (!first) throw new Error('no folder is known');
      const [element, compat] = await Promise.all([import(`${first}element.js`), import(`${first}compat.js`)]);
      folder = first;
      if (!customElements.get('srs-player')) customElements.define('srs-player', element.SrsPlayerElement);
      return compat.SrsPlayer;
    } catch (cause) {
      if (others.length) return load(others);
      throw Object.assign(new Error(`srs-player.js cannot load the player${first ? ` from ${first}` : ''}. Where scripts are put together, or `
        + 'evaluated, give it a <script> tag of its own, or say where the folder is: <srs-player base="https://your-gateway/srs-player/">'), { cause });
    }
  }

  // Evaluated code may run before the elements with `base` exist.
  const all = folders();
  const parsed = () => new Promise((resolve) => {
    if (document.readyState === 'loading') addEventListener('DOMContentLoaded', resolve);
    else resolve(undefined);
  });
  const parts = load(all).catch(async (error) => {
    await parsed();
    const more = folders().filter((one) => !all.includes(one));
    if (more.length) return load(more);
    throw error;
  });
  parts.catch(async (error) => {
    console.error(error.message, error.cause ?? '');
    await parsed();
    // An element that is not defined shows its content.
    for (const element of document.querySelectorAll('srs-player,srs-publisher')) element.textContent ||= error.message;
  });

  /** A class that exists at once. Its calls wait until the modules are loaded. */
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

  // The publisher is loaded only by pages that publish.
  /** @type {Promise<any> | undefined} */
  let publisher;
  const publishing = () => publisher ??= parts.then(() => import(`${folder}publisher.js`)).then((module) => {
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
  // The elements of rooms are loaded in the same way.
  const chat = () => parts.then(() => import(`${folder}define-chat.js`));
  const room = () => Promise.all([parts.then(() => import(`${folder}define-room.js`)), chat()]);
  const mixer = () => parts.then(() => import(`${folder}define-mixer.js`));
  const rare = new Map([['srs-publisher', publishing], ['srs-mixer', mixer], ['srs-room', room], ['srs-chat', chat], ['srs-room-list', chat], ['srs-audience', chat]]);
  const look = () => {
    for (const [name, fetch] of rare) {
      if (!document.getElementsByTagName(name).length) continue;
      rare.delete(name);
      fetch().catch((error) => console.error(error));
    }
    if (!rare.size) watch.disconnect();
  };
  const watch = new MutationObserver(look);
  watch.observe(document, { childList: true, subtree: true });
  look();

  // The names of srs.sdk.js. Its pages need the connection and the stream at once; the rest is loaded on use.
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
        play: (/** @type {unknown[]} */ ...args) => parts.then(() => import(`${folder}sdk.js`)).then(({ play }) => play(sdk, ...args)),
        publish: (/** @type {unknown[]} */ ...args) => parts.then(() => import(`${folder}sdk-publish.js`)).then(({ publish }) => publish(sdk, ...args)),
        close: () => { sdk.pc &&= sdk.leave(); },
      };
      pc.ontrack = (event) => sdk.ontrack(event);
      return sdk;
    };
  }
})();
