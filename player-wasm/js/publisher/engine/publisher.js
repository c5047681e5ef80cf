// The publisher without controls: captures, connects, and reconnects after interruptions.

import { Retry } from '../../net/retry.js';
import { Tokens } from '../../net/token-ask.js';
import { Capture } from './capture.js';
import { Connector } from './connector.js';
import { endpoints } from './endpoints.js';
import { coded, PublishError } from './error.js';
import { Waker } from './wake.js';

/**
 * @typedef {import('./capture.js').CaptureOptions & {
 *   url: string, token: import('../../net/token-ask.js').Token, protocol: string, retry: number, bitrate: number, secure: string, base: string,
 *   lines?: number, seat?: string,
 * }} PublisherOptions seat: the key of a seat in a room, which a running session does not need any more; bitrate in bits per second (0: what suits the size); secure: the page's address over HTTPS; lines: of
 *   the video that is sent, if it is to have fewer than the capture
 */
/** @typedef {import('../../types/index.js').PublisherState} PublisherState */

/** Errors after which the publisher does not retry, even after it was live. */
const FINAL = ['forbidden', 'no-h264', 'no-webrtc', 'no-encoder', 'encoder', 'ended', 'stopped', 'bad-url'];
/** Milliseconds for which a server may reserve the name for a lost connection. */
const OWN_NAME = 30_000;

export class Publisher extends EventTarget {
  #options;
  /** @type {PublisherState} */
  #state = 'idle';
  /** @type {Capture | null} */
  #capture = null;
  /** @type {Connector | null} */
  #connector = null;
  /** The number of the current start. Asynchronous steps of an earlier start stop. */
  #run = 0;
  #reconnects = 0;
  #tokens = new Tokens();
  #timer = 0;
  #waker = new Waker();
  #retry = new Retry(0);
  /** Pending changes of devices. They run one after the other. @type {Promise<unknown>} */
  #changing = Promise.resolve();
  #newCapture;

  /**
   * @param {PublisherOptions} options
   * @param {(options: PublisherOptions, onend: (kind: 'video' | 'microphone') => void) => Capture} [newCapture] makes what
   *   is published, if that is not this publisher's own camera, microphone or screen
   */
  constructor(options, newCapture = (given, onend) => new Capture(given, onend)) {
    super();
    this.#options = options;
    this.#newCapture = newCapture;
  }

  get state() { return this.#state; }
  get stream() { return this.#capture?.stream ?? null; }
  get level() { return this.#capture?.level ?? 0; }
  get mirrored() { return this.#capture?.mirrored ?? false; }
  /** Returns the ids of the devices in use. */
  get devices() {
    const id = (/** @type {MediaStreamTrack | null | undefined} */ track) => track?.getSettings().deviceId ?? '';
    return { camera: this.#options.source === 'camera' ? id(this.#capture?.video) : '', microphone: id(this.#capture?.microphone) };
  }

  /** Captures for the preview, without publishing. */
  async preview() {
    const { source } = this.#options;
    // Browsers capture a screen only after a click.
    if (this.#capture || source === 'screen' || !globalThis.isSecureContext || !navigator.mediaDevices) return;
    const run = ++this.#run;
    const capture = this.#capture = this.#newCapture(this.#options, (kind) => this.#ended(kind));
    await capture.open().catch(() => {});
    if (run !== this.#run) return;
    if (capture.stream.getTracks().length) this.#emit('capture');
    else this.#dark();
  }

  /** Ends the preview. */
  #dark() {
    this.#run++;
    this.#capture?.close();
    this.#capture = null;
    this.#emit('capture');
  }

  /** Captures and publishes. Throws a PublishError. */
  async start() {
    // Publish the capture of the preview.
    const shown = this.#state === 'idle' && this.#capture?.stream.getTracks().length ? this.#capture : null;
    if (!shown) await this.stop();
    const run = ++this.#run;
    this.#reconnects = 0;
    this.#retry = new Retry(this.#options.retry);
    this.#show('requesting');
    try {
      if (!globalThis.isSecureContext || !navigator.mediaDevices) throw new PublishError('insecure', this.#options.secure);
      if (!endpoints(this.#options.url, document.baseURI).length) throw new PublishError('bad-url', this.#options.url);
      const capture = this.#capture = shown ?? this.#newCapture(this.#options, (kind) => this.#ended(kind));
      if (!shown) await capture.open();
      if (run !== this.#run) throw new PublishError('stopped');
      if (capture.lack) this.#warn(new PublishError(capture.lack));
      this.#emit('capture');
      this.#show('connecting');
      window.addEventListener('pagehide', this.#leave);
      this.#connector = new Connector(this.#options, capture, this.#tokens, (why) => { if (run === this.#run) void this.#lost(run, why); });
      await this.#connect(run).catch((error) => {
        // The token may have expired, or was used before.
        if (run !== this.#run || !this.#mendable(error)) throw error;
        return this.#connect(run);
      });
    } catch (error) {
      const why = coded(error, 'capture');
      if (run === this.#run && why.code !== 'stopped') this.#fail(why);
      throw why;
    }
  }

  /** Stops publishing. Resolves when the name is free. */
  async stop() {
    if (this.#state === 'idle' && this.#capture) this.#dark();
    if (this.#state === 'idle' || this.#state === 'ended' || this.#state === 'error') return;
    const was = this.#state;
    const released = this.#release();
    this.#show(was === 'live' || was === 'reconnecting' ? 'ended' : 'idle');
    await released;
  }

  /** Applies other options, also while live. @param {PublisherOptions} options */
  set(options) {
    const before = this.#options;
    this.#options = options;
    const capture = this.#capture;
    if (!capture || this.#state === 'requesting') return;
    const changed = (/** @type {(keyof PublisherOptions)[]} */ ...names) => names.some((name) => before[name] !== options[name]);
    // A token function is called at the next attempt, so another function needs no new start.
    const token = changed('token') && typeof before.token === 'string' && typeof options.token === 'string';
    const restart = token || changed('url', 'protocol') || (changed('source') && [before.source, options.source].includes('audio'));
    if (restart && this.#state === 'idle') {
      if (!changed('source')) return undefined;
      this.#dark();
      return void this.preview();
    }
    if (restart) return void this.start().catch(() => {});
    const video = changed('source') || (changed('camera') && options.source === 'camera');
    const microphone = changed('microphone');
    this.#changing = this.#changing.then(async () => {
      if (capture !== this.#capture) return;
      if (video) await capture.useVideo(options);
      if (microphone) await capture.useMicrophone(options);
      await capture.adjust(options);
      if (capture !== this.#capture) return;
      await this.#connector?.set(options);
      if (video || microphone) this.#emit('capture');
    }).catch((error) => {
      if (capture !== this.#capture) return;
      this.#warn(coded(error, 'capture'));
      // Publishing cannot continue without video. After a failed change of the microphone, the old one still works.
      if (video && capture.video?.readyState !== 'live') this.#fail(coded(error, 'capture'));
    });
    return undefined;
  }

  /** Makes one attempt. @param {number} run */
  async #connect(run) {
    const fallback = await this.#connector?.connect();
    if (run !== this.#run) throw new PublishError('stopped');
    this.#live(run);
    if (fallback) this.#warn(new PublishError('fallback', fallback));
  }

  /** Returns whether another token may help: the server has refused a token, and the page can provide another. @param {{ code: string, own?: boolean }} why */
  #mendable({ code, own }) {
    return code === 'forbidden' && !own && typeof this.#options.token === 'function';
  }

  /** @param {number} run */
  #live(run) {
    this.#show('live');
    this.#waker.hold();
    this.#retry.reset();
    const lack = this.#connector?.session?.lack;
    if (lack) this.#warn(new PublishError(lack));
    clearInterval(this.#timer);
    const look = async () => {
      const session = this.#connector?.session;
      const figures = await session?.figures();
      if (run !== this.#run || session !== this.#connector?.session || this.#state !== 'live') return;
      this.#emit('stats', { ...figures, protocol: session?.protocol, reconnects: this.#reconnects });
    };
    void look();
    this.#timer = window.setInterval(look, 1000);
    window.addEventListener('online', this.#online);
  }

  /** Restores a lost connection: over a new route or with a new session, until one works. @param {number} run @param {PublishError} why */
  async #lost(run, why) {
    if (this.#state === 'reconnecting' || this.#state === 'connecting') return;
    clearInterval(this.#timer);
    if (why.code === 'ended' || why.code === 'encoder') return this.#fail(why);
    this.#show('reconnecting', why);
    const begin = performance.now();
    try {
      await this.#connector?.session?.restart();
      if (run !== this.#run) return undefined;
      this.#reconnects++;
      return this.#live(run);
    } catch {
      // The session is lost. The next attempt opens a new one.
    }
    let wait = this.#retry.next();
    while (wait !== undefined) {
      const pause = wait;
      await this.#connector?.session?.close();
      await new Promise((resolve) => { this.#retry.after(pause, () => resolve(undefined)); });
      if (run !== this.#run) return undefined;
      try {
        await this.#connect(run);
        this.#reconnects++;
        return undefined;
      } catch (error) {
        if (run !== this.#run) return undefined;
        why = /** @type {PublishError} */ (error);
        wait = this.#next(why, begin);
        if (wait !== undefined) this.#show('reconnecting', why);
      }
    }
    return this.#fail(why);
  }

  /**
   * Returns the milliseconds until the next attempt; none to give up.
   * @param {{ code: string, own?: boolean }} why
   * @param {number} begin when the connection was lost
   */
  #next(why, begin) {
    const { code, own } = why;
    const again = this.#mendable(why) ? this.#retry.refused(false, true) : undefined;
    if (again !== undefined) return again;
    // The name may still be busy with the previous connection, which the server keeps for a while.
    if (FINAL.includes(code) || (code === 'busy' && performance.now() - begin > OWN_NAME)) return undefined;
    // Back off: the token server is shared by many publishers.
    return this.#retry.next(own);
  }

  #online = () => this.#retry.hurry();
  #leave = () => void this.stop();

  /** Handles a lost device, or the end of screen sharing by the user. @param {'video' | 'microphone'} kind */
  #ended(kind) {
    if (this.#state === 'idle') this.#dark();
    else if (kind === 'video') void this.stop();
    else this.#warn(new PublishError('microphone-gone'));
  }

  /** Releases session and devices. */
  #release() {
    this.#run++;
    this.#retry.hurry();
    clearInterval(this.#timer);
    window.removeEventListener('pagehide', this.#leave);
    window.removeEventListener('online', this.#online);
    this.#waker.release();
    this.#capture?.close();
    this.#capture = null;
    const connector = this.#connector;
    this.#connector = null;
    this.#emit('capture');
    return connector?.close();
  }

  /** @param {PublishError} error */
  #fail(error) {
    void this.#release();
    this.#show(error.code === 'ended' ? 'ended' : 'error', error);
  }

  /** @param {PublishError} error */
  #warn({ code, detail }) {
    this.#emit('warning', { code, detail });
  }

  /** @param {PublisherState} state @param {PublishError} [why] */
  #show(state, why) {
    this.#state = state;
    this.#emit('state', { state, code: why?.code ?? '', detail: why?.detail ?? '' });
  }

  /** @param {string} type @param {unknown} [detail] */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
