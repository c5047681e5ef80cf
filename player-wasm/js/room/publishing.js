// What a participant publishes: camera and microphone, the same picture small, and a shared screen.

import { Publisher } from '../publisher/engine/publisher.js';
import { BorrowedVideo } from './borrowed.js';

/** @typedef {import('../publisher/engine/publisher.js').PublisherOptions} PublisherOptions */
/** @typedef {import('../types/index.js').PublisherStats} PublisherStats */

/** Failures that another attempt may mend; the others need somebody. */
const MENDABLE = /^(forbidden|network|busy|ice|http|lost|no-webrtc)$/;
/** Milliseconds before such an attempt. */
const AGAIN = 2_000;
const SMALL = { lines: 180, fps: 15, bitrate: 150_000 };
/** Bits per second of the full picture, by the quality of the network; 0: what suits its size. */
const BITRATES = { good: 0, poor: 400_000, bad: 120_000 };

export class RoomPublishing extends EventTarget {
  /** @type {PublisherOptions} */
  #options = {
    // A refusal may be that of a gateway that was restarted and does not know the seat yet: an attempt with a function
    // for a token is made again.
    url: '', seat: '', token: () => '', protocol: 'webrtc', retry: Infinity, secure: '', base: '', source: 'camera', bitrate: 0,
    camera: '', microphone: '', width: 1280, height: 720, fps: 30, muted: false, cameraOff: false,
  };
  #main;
  /** @type {Publisher | null} */
  #small = null;
  /** @type {Publisher | null} */
  #screen = null;
  #address = '';
  #key = '';
  #wanted = false;
  /** Counts stops: a preview that was begun before one is not opened after it. */
  #stops = 0;
  #timer = 0;
  /** @type {PublisherStats | null} */
  stats = null;

  constructor() {
    super();
    this.#main = new Publisher(this.#options);
    this.#listen(this.#main, 'main');
    this.#main.addEventListener('capture', () => this.#captured());
    this.#main.addEventListener('stats', (event) => {
      this.stats = /** @type {CustomEvent<PublisherStats>} */ (event).detail;
      this.dispatchEvent(new CustomEvent('stats'));
    });
  }

  get state() { return this.#main.state; }
  get stream() { return this.#main.stream; }
  get level() { return this.#main.level; }
  get mirrored() { return this.#main.mirrored; }
  get devices() { return this.#main.devices; }
  get muted() { return this.#options.muted; }
  get cameraOff() { return this.#options.cameraOff || this.#options.source === 'audio'; }
  get options() { return this.#options; }
  /** The shared screen. */
  get screen() { return this.#screen?.stream ?? null; }
  /**
   * Whether a call, or another program, has taken the devices: the microphone is silent although nobody has muted it, or
   * the camera has ended.
   */
  get interrupted() {
    return (this.#wanted && this.#main.state === 'ended') || (this.stream?.getAudioTracks().some(({ muted }) => muted) ?? false);
  }

  /** Opens the devices for a preview. */
  async preview() {
    const stops = this.#stops;
    await this.#look();
    if (stops === this.#stops) await this.#main.preview();
  }

  /**
   * Publishes, and goes on until {@link stop}.
   * @param {string} address of the participant's stream, without an ending: `https://host/NAME/ID`
   * @param {string} key of the seat
   */
  async start(address, key) {
    this.#address = address;
    this.#key = key;
    const was = this.#wanted;
    this.#wanted = true;
    if (!this.stream) await this.#look();
    if (!this.#wanted) return;
    this.#apply();
    // Another address begins a session by itself; another key is that of the sessions to come.
    if (!was || this.#main.state === 'error') await this.#main.start().catch(() => {});
  }

  /** Changes options. @param {Partial<PublisherOptions>} changes */
  set(changes) {
    this.#options = { ...this.#options, ...changes };
    this.#apply();
    this.dispatchEvent(new CustomEvent('change'));
  }

  /** Sends less over a network that carries less. @param {'good' | 'poor' | 'bad'} quality */
  adapt(quality) {
    if (this.#options.bitrate !== BITRATES[quality]) this.set({ bitrate: BITRATES[quality] });
  }

  /** Opens the devices anew and publishes again, after a call or when a device is back. */
  async again() {
    await this.#main.stop();
    if (!this.#wanted) return this.preview();
    await this.#look();
    this.#apply();
    return this.#main.start().catch(() => {});
  }

  /** Shares a screen. Has to be called in a click. */
  async share() {
    const screen = this.#screen ??= new Publisher(this.#screenOptions());
    this.#listen(screen, 'screen');
    await screen.start().catch(() => {});
  }

  async unshare() {
    const screen = this.#screen;
    this.#screen = null;
    await screen?.stop();
    this.dispatchEvent(new CustomEvent('change'));
  }

  /** Stops publishing, and closes the devices unless a preview is to remain. */
  async stop() {
    this.#wanted = false;
    this.#stops++;
    clearTimeout(this.#timer);
    this.stats = null;
    const small = this.#small;
    this.#small = null;
    await Promise.all([small?.stop(), this.unshare(), this.#main.stop()]);
  }

  /** Without a camera, only the microphone is opened. */
  async #look() {
    const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    const source = !devices.length || devices.some(({ kind }) => kind === 'videoinput') ? 'camera' : 'audio';
    this.#options = { ...this.#options, source };
    this.#main.set({ ...this.#options, url: this.#url('') });
  }

  #apply() {
    this.#options = { ...this.#options, seat: this.#key };
    this.#main.set({ ...this.#options, url: this.#url('') });
    this.#small?.set(this.#smallOptions());
    this.#screen?.set(this.#screenOptions());
  }

  /** @param {string} ending */
  #url(ending) {
    return this.#address && `${this.#address}${ending}/whip`;
  }

  #smallOptions() {
    // Another id of the track has the session send that track.
    const camera = this.#track()?.id ?? '';
    return { ...this.#options, ...SMALL, camera, url: this.#url('~s') };
  }

  #screenOptions() {
    return /** @type {PublisherOptions} */ ({ ...this.#options, source: 'screen', alone: true, camera: '', cameraOff: false, bitrate: 0, width: 1920, height: 1080, fps: 15, url: this.#url('~screen') });
  }

  #track() { return this.stream?.getVideoTracks()[0]; }

  #captured() {
    for (const track of this.stream?.getTracks() ?? []) {
      track.onmute = track.onunmute = () => this.dispatchEvent(new CustomEvent('change'));
    }
    if (this.#track()) this.#small?.set(this.#smallOptions());
    this.dispatchEvent(new CustomEvent('change'));
  }

  /** @param {Publisher} publisher @param {'main' | 'small' | 'screen'} which */
  #listen(publisher, which) {
    publisher.addEventListener('state', (event) => {
      const { state, code, detail } = /** @type {CustomEvent<{ state: string, code: string, detail: string }>} */ (event).detail;
      if (which === 'main') this.#changed(state, code, detail);
      else if (which === 'screen' && (state === 'ended' || state === 'error') && publisher === this.#screen) {
        this.#screen = null;
        if (state === 'error') this.#notice(code, detail);
      } else if (which === 'small' && state === 'error' && publisher === this.#small) {
        // Tiles play the full picture meanwhile.
        this.#small = null;
        setTimeout(() => this.#startSmall(), AGAIN);
      }
      this.dispatchEvent(new CustomEvent('change'));
    });
    if (which !== 'small') publisher.addEventListener('warning', (event) => {
      const { code, detail } = /** @type {CustomEvent<{ code: string, detail: string }>} */ (event).detail;
      this.#notice(code, detail);
    });
  }

  /** @param {string} state @param {string} code @param {string} detail */
  #changed(state, code, detail) {
    if (state === 'live') this.#startSmall();
    if (state !== 'error' || !this.#wanted) return;
    clearTimeout(this.#timer);
    if (MENDABLE.test(code)) this.#timer = setTimeout(() => { if (this.#wanted && this.#main.state === 'error') void this.#main.start().catch(() => {}); }, AGAIN);
    else this.#notice(code, detail);
  }

  #startSmall() {
    if (!this.#wanted || this.#small || this.#main.state !== 'live' || !this.#track()) return;
    const small = this.#small = new Publisher(this.#smallOptions(),
      () => /** @type {import('../publisher/engine/capture.js').Capture} */ (/** @type {unknown} */ (new BorrowedVideo(() => this.#track()))));
    this.#listen(small, 'small');
    void small.start().catch(() => {});
  }

  /** @param {string} code @param {string} detail */
  #notice(code, detail) {
    this.dispatchEvent(new CustomEvent('notice', { detail: { code, detail } }));
  }
}
