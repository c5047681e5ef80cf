// The broadcast of a room, mixed in this page: for a gateway that cannot mix.

/** @typedef {import('../types/define-mixer.js').SrsMixerElement} SrsMixerElement */
/** @typedef {import('../types/define-mixer.js').MixInput} MixInput */

/** So many others are mixed in full size; more would cost more than a computer has. */
const MAX_FULL = 3;

export class PageMix extends EventTarget {
  #session; #credentials;
  /** Out of sight, but in the page. @type {SrsMixerElement | null} */
  #mixer = null;
  /** The inputs as they were given to the mixer. */
  #given = '';
  /** @type {AbortController | null} */
  #off = null;
  /** Why it ended, in the mixer's words; empty: it did not, or was to. */
  problem = '';

  /**
   * @param {import('./session.js').RoomSession} session
   * @param {() => import('../net/token-ask.js').Token} credentials what the page shows to publish `live/NAME`
   */
  constructor(session, credentials) {
    super();
    this.#session = session;
    this.#credentials = credentials;
    session.signal.addEventListener('abort', () => void this.stop());
  }

  /** Whether the page mixes, or is about to. */
  get on() { return this.#mixer !== null; }
  get state() { return this.#mixer?.state ?? 'idle'; }

  /** Begins to mix and to publish. Has to be called in a click. @param {Node} root where the mixer stands */
  async start(root) {
    if (this.#mixer) return;
    this.problem = '';
    try {
      const { SrsMixerElement: Mixer } = await import('../mixer/index.js');
      if (!customElements.get('srs-mixer')) customElements.define('srs-mixer', Mixer);
    } catch (error) {
      return this.#failed(String(error));
    }
    const { connection, hostname, server } = this.#session;
    const mixer = this.#mixer = document.createElement('srs-mixer');
    mixer.hidden = true;
    mixer.setAttribute('names', '');
    mixer.setAttribute('server', server);
    mixer.setAttribute('output', `live/${connection.room?.name ?? hostname}`);
    mixer.token = this.#credentials();
    mixer.addEventListener('statechange', () => this.#changed());
    root.appendChild(mixer);
    const { signal } = this.#off = new AbortController();
    for (const type of ['change', 'picture']) this.#session.addEventListener(type, () => this.#update(), { signal });
    this.#session.mixes(MAX_FULL);
    this.#update();
    await mixer.start().catch((error) => { if (error.name !== 'AbortError') this.#failed(error.message); });
  }

  async stop() {
    const mixer = this.#mixer;
    this.#mixer = null;
    this.#given = '';
    this.#off?.abort();
    this.#session.mixes(0);
    await mixer?.stop();
    mixer?.remove();
    this.dispatchEvent(new Event('change'));
  }

  /** @param {string} why */
  #failed(why) {
    this.problem = why;
    return this.stop();
  }

  #changed() {
    const { error } = this.#mixer ?? {};
    if (error) void this.#failed(error.message);
    else this.dispatchEvent(new Event('change'));
  }

  /** Gives the mixer what the page shows and plays. Others of the page are played once. */
  #update() {
    const session = this.#session;
    const mixer = this.#mixer;
    if (!mixer) return;
    if (!session.inside) return void this.stop();
    /** @type {Exclude<MixInput, string | MediaStream>[]} */
    const inputs = [];
    for (const { id, name, shown, screen } of session.people) {
      const tracks = session.tracksOf(id);
      if (tracks.length) inputs.push({ id, name, stream: new MediaStream(tracks), hidden: shown === false || !tracks.some(({ kind }) => kind === 'video') });
      const shared = screen ? session.tracksOf(`${id}~screen`) : [];
      if (shared.length) inputs.push({ id: `${id}~screen`, name, stream: new MediaStream(shared), screen: true });
    }
    const { layout = 'grid' } = session.connection.room ?? {};
    if (mixer.layout !== layout) mixer.layout = layout;
    // Another stream of the same tracks would be another input.
    const given = JSON.stringify(inputs.map(({ stream, ...input }) => ({ ...input, tracks: /** @type {MediaStream} */ (stream).getTracks().map((track) => track.id) })));
    if (given === this.#given) return;
    this.#given = given;
    mixer.inputs = inputs;
  }
}
