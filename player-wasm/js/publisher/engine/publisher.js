// The publisher without any look: captures, connects, and comes back after interruptions.

import { endpoints } from '../../net/publish-address.js';
import { Capture } from './capture.js';
import { coded, PublishError } from './error.js';
import { offersH264 } from './prefer.js';
import { RtcSession } from './rtc.js';
import { Waker } from './wake.js';
import { backOff } from '../../net/retry.js';
import { Tokens } from '../../net/token-ask.js';

/**
 * @typedef {import('./capture.js').CaptureOptions & {
 *   url: string, token: import('../../net/token-ask.js').Token, protocol: string, retry: number, bitrate: number, secure: string, base: string,
 * }} PublisherOptions bitrate in bits per second (0: what suits the size); secure: the page's address over HTTPS
 */
/** @typedef {import('../../types/index.js').PublisherState} PublisherState */

/** What a wait does not mend, even for somebody who was live. */
const FINAL = ['forbidden', 'no-h264', 'no-webrtc', 'no-encoder', 'encoder', 'ended', 'stopped', 'bad-url'];
/** So many refusals in a row a new token may mend, when a server has come back. */
const REFUSALS = 4;
/** For these, the other way of publishing is worth a try. */
const OTHER_WAY = ['ice', 'no-webrtc', 'no-h264'];

/** Bits per second that suit a picture. @param {number} width @param {number} height */
const suited = (width, height) => Math.round(Math.min(8, 0.5 + width * height / 460_000) * 1_000_000);

export class Publisher extends EventTarget {
  #options;
  /** @type {PublisherState} */
  #state = 'idle';
  /** @type {Capture | null} */
  #capture = null;
  /** @type {RtcSession | import('./flv.js').FlvSession | null} */
  #session = null;
  /** Counts starts: what belongs to another one stops. */
  #run = 0;
  /** The way that works here: FLV after WebRTC failed. */
  #flv = false;
  #servers = /** @type {RTCIceServer[]} */ ([]);
  #reconnects = 0;
  #tokens = new Tokens();
  /** The last token reached nobody. */
  #unspent = false;
  #timer = 0;
  #waker = new Waker();
  /** Ends a wait for the next attempt. */
  #hurry = () => {};
  /** Changes of devices, one after the other. @type {Promise<unknown>} */
  #changing = Promise.resolve();

  /** @param {PublisherOptions} options */
  constructor(options) {
    super();
    this.#options = options;
  }

  get state() { return this.#state; }
  get stream() { return this.#capture?.stream ?? null; }
  get level() { return this.#capture?.level ?? 0; }
  get mirrored() { return this.#capture?.mirrored ?? false; }
  /** The ids of the devices in use. */
  get devices() {
    const id = (/** @type {MediaStreamTrack | null | undefined} */ track) => track?.getSettings().deviceId ?? '';
    return { camera: this.#options.source === 'camera' ? id(this.#capture?.picture) : '', microphone: id(this.#capture?.microphone) };
  }

  /** Captures, and shows it; nothing goes out. */
  async preview() {
    const { source } = this.#options;
    // A screen is asked for only by a click.
    if (this.#capture || source === 'screen' || !globalThis.isSecureContext || !navigator.mediaDevices) return;
    const run = ++this.#run;
    const capture = this.#capture = new Capture(this.#options, (kind) => this.#ended(kind));
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

  /** Captures and publishes; throws a PublishError when that is not to be. */
  async start() {
    // What is previewed goes out as it is.
    const shown = this.#state === 'idle' && this.#capture?.stream.getTracks().length ? this.#capture : null;
    if (!shown) await this.stop();
    const run = ++this.#run;
    this.#flv = this.#options.protocol === 'ws-flv';
    this.#reconnects = 0;
    this.#show('requesting');
    try {
      if (!globalThis.isSecureContext || !navigator.mediaDevices) throw new PublishError('insecure', this.#options.secure);
      if (!endpoints(this.#options.url, document.baseURI).length) throw new PublishError('bad-url', this.#options.url);
      const capture = this.#capture = shown ?? new Capture(this.#options, (kind) => this.#ended(kind));
      if (!shown) await capture.open();
      if (run !== this.#run) throw new PublishError('stopped');
      if (capture.lack) this.#warn(new PublishError(capture.lack));
      this.#emit('capture');
      this.#show('connecting');
      window.addEventListener('pagehide', this.#leave);
      await this.#connect(run).catch((error) => {
        // Perhaps it was too old, or used.
        if (run !== this.#run || !this.#mendable(error)) throw error;
        return this.#connect(run);
      });
    } catch (error) {
      const why = coded(error, 'capture');
      if (run === this.#run && why.code !== 'stopped') this.#fail(why);
      throw why;
    }
  }

  /** Ends it; keeps its promise when the name is free. */
  async stop() {
    if (this.#state === 'idle' && this.#capture) this.#dark();
    if (this.#state === 'idle' || this.#state === 'ended' || this.#state === 'error') return;
    const was = this.#state;
    const released = this.#release();
    this.#show(was === 'live' || was === 'reconnecting' ? 'ended' : 'idle');
    await released;
  }

  /** Takes other options; what is live changes at once. @param {PublisherOptions} options */
  set(options) {
    const before = this.#options;
    this.#options = options;
    const capture = this.#capture;
    if (!capture || this.#state === 'requesting') return;
    const changed = (/** @type {(keyof PublisherOptions)[]} */ ...names) => names.some((name) => before[name] !== options[name]);
    // A function gives what it gives when it is asked: another one is no reason to stop.
    const token = changed('token') && typeof before.token === 'string' && typeof options.token === 'string';
    const restart = token || changed('url', 'protocol') || (changed('source') && [before.source, options.source].includes('audio'));
    if (restart && this.#state === 'idle') {
      if (!changed('source')) return undefined;
      this.#dark();
      return void this.preview();
    }
    if (restart) return void this.start().catch(() => {});
    const picture = changed('source') || (changed('camera') && options.source === 'camera');
    const microphone = changed('microphone');
    this.#changing = this.#changing.then(async () => {
      if (capture !== this.#capture) return;
      if (picture) await capture.usePicture(options);
      if (microphone) await capture.useMicrophone(options);
      await capture.adjust(options);
      if (capture !== this.#capture) return;
      await this.#session?.replace();
      await this.#session?.set(this.#sessionOptions(this.#run, this.#endpoint));
      if (picture || microphone) this.#emit('capture');
    }).catch((error) => {
      if (capture !== this.#capture) return;
      this.#warn(coded(error, 'capture'));
      // Without a picture there is nothing to go on with; the old microphone still works.
      if (picture && capture.picture?.readyState !== 'live') this.#fail(coded(error, 'capture'));
    });
    return undefined;
  }

  /** @returns {import('../../net/publish-address.js').Endpoint[]} */
  get #endpoints() {
    const all = endpoints(this.#options.url, document.baseURI);
    return this.#flv ? all.filter(({ flv }) => flv) : all.filter(({ whip }) => whip);
  }

  #endpoint = { whip: '', flv: '' };

  /**
   * @param {number} run
   * @param {import('../../net/publish-address.js').Endpoint} endpoint
   * @returns {import('./rtc.js').SessionOptions}
   */
  #sessionOptions(run, endpoint) {
    const { source, bitrate, width, height, fps, base } = this.#options;
    return {
      endpoint, fps, base, screen: source === 'screen', bitrate: bitrate || suited(width, height), servers: this.#servers,
      capture: /** @type {Capture} */ (this.#capture),
      token: () => {
        const unspent = this.#unspent;
        this.#unspent = false;
        return this.#tokens.take(this.#options.token, unspent);
      },
      onlost: (why) => { if (run === this.#run) void this.#lost(run, why); },
    };
  }

  /** One attempt, by one way or the other. @param {number} run */
  async #connect(run) {
    const none = new PublishError('no-webrtc');
    let because = '';
    if (await this.#lacksH264()) {
      this.#flv = true;
      because = 'no-h264';
    }
    if (run !== this.#run) throw new PublishError('stopped');
    if (!this.#flv && !('RTCPeerConnection' in globalThis) && !this.#mayChange(none)) throw none;
    try {
      await this.#open(run);
    } catch (error) {
      const why = /** @type {PublishError} */ (error);
      if (run !== this.#run) throw new PublishError('stopped');
      const servers = /** @type {any} */ (this.#session)?.servers ?? [];
      await this.#session?.close();
      if (run !== this.#run) throw new PublishError('stopped');
      // The server knows relays that were not asked yet.
      const relays = why.code === 'ice' && servers.length > 0 && this.#servers.length === 0;
      if (relays) this.#servers = servers;
      else if (!this.#mayChange(why)) throw why;
      await this.#open(run).catch((/** @type {PublishError} */ again) => {
        // The first way's reason says more than that the second one is not there either.
        throw again.code === 'no-webrtc' || again.code === 'network' ? why : again;
      });
      if (this.#flv) because = why.detail === 'loopback' ? why.detail : why.code;
    }
    if (run !== this.#run) throw new PublishError('stopped');
    this.#live(run);
    if (because) this.#warn(new PublishError('fallback', because));
  }

  /** Whether only a WebSocket takes H.264 here: over WebRTC this browser would send what few viewers can play. */
  async #lacksH264() {
    const { protocol, source, width, height, fps, bitrate } = this.#options;
    if (protocol !== 'auto' || source === 'audio' || this.#flv || offersH264()) return false;
    if (!endpoints(this.#options.url, document.baseURI).some(({ flv }) => flv)) return false;
    const { encodesH264 } = await import('./flv.js');
    return encodesH264({ width, height, fps, bitrate: bitrate || suited(width, height) });
  }

  /** Whether another token may do: the server has refused one, and there are more. @param {any} why */
  #mendable({ code, own }) {
    return code === 'forbidden' && !own && typeof this.#options.token === 'function';
  }

  /** Whether the other way is worth a try, and takes it. @param {PublishError} why */
  #mayChange({ code }) {
    if (this.#options.protocol !== 'auto' || this.#flv || !OTHER_WAY.includes(code)) return false;
    this.#flv = endpoints(this.#options.url, document.baseURI).some(({ flv }) => flv);
    return this.#flv;
  }

  /** Opens a session with the first server that is there. @param {number} run */
  async #open(run) {
    let last = new PublishError('bad-url', this.#options.url);
    for (const endpoint of this.#endpoints) {
      const Session = this.#flv ? await import('./flv.js').then((module) => module.FlvSession) : RtcSession;
      if (run !== this.#run) throw new PublishError('stopped');
      const session = this.#session = new Session(this.#sessionOptions(run, endpoint));
      this.#endpoint = endpoint;
      try {
        return await session.open();
      } catch (error) {
        last = coded(error, 'http');
        this.#unspent = last.unspent;
        // Without a token there is no use in the next one.
        if (last.code !== 'network' || /** @type {any} */ (last).own) throw last;
        await session.close();
      }
    }
    throw last;
  }

  /** @param {number} run */
  #live(run) {
    this.#show('live');
    this.#waker.hold();
    if (this.#session?.lack) this.#warn(new PublishError(this.#session.lack));
    clearInterval(this.#timer);
    const look = async () => {
      const session = this.#session;
      const figures = await session?.figures();
      if (run !== this.#run || session !== this.#session || this.#state !== 'live') return;
      this.#emit('stats', { ...figures, protocol: session?.protocol, reconnects: this.#reconnects });
    };
    void look();
    this.#timer = window.setInterval(look, 1000);
    window.addEventListener('online', this.#online);
  }

  /** The connection is gone: a new route for it, or a new one, until it works. @param {number} run @param {PublishError} why */
  async #lost(run, why) {
    if (this.#state === 'reconnecting' || this.#state === 'connecting') return;
    clearInterval(this.#timer);
    if (why.code === 'ended' || why.code === 'encoder') return this.#fail(why);
    this.#show('reconnecting', why);
    const begin = performance.now();
    let refused = 0;
    for (let attempt = 0; run === this.#run; attempt++) {
      if (attempt > this.#options.retry) return this.#fail(why);
      try {
        if (attempt === 0) {
          await this.#session?.restart();
          if (run !== this.#run) return undefined;
          this.#reconnects++;
          return this.#live(run);
        }
      } catch {
        // A new session, then.
      }
      await this.#session?.close();
      await this.#wait(attempt, why);
      if (run !== this.#run) return undefined;
      try {
        await this.#connect(run);
        this.#reconnects++;
        return undefined;
      } catch (error) {
        if (run !== this.#run) return undefined;
        why = /** @type {PublishError} */ (error);
        // What is busy may be our own name, which the server still keeps for the connection before.
        const busy = why.code === 'busy' && performance.now() - begin > 30_000;
        const mendable = this.#mendable(why) && refused++ < REFUSALS;
        if (busy || (FINAL.includes(why.code) && !mendable)) return this.#fail(why);
        this.#show('reconnecting', why);
      }
    }
    return undefined;
  }

  /** @param {number} attempt @param {any} why @returns {Promise<void>} */
  #wait(attempt, { own }) {
    return new Promise((resolve) => {
      // Who gives the tokens may serve many, and is not to be pressed.
      const timer = setTimeout(resolve, backOff(attempt, own));
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #online = () => this.#hurry();
  #leave = () => void this.stop();

  /** A device is gone, or the person has ended the screen in the browser's bar. @param {'picture' | 'microphone'} kind */
  #ended(kind) {
    if (this.#state === 'idle') this.#dark();
    else if (kind === 'picture') void this.stop();
    else this.#warn(new PublishError('microphone-gone'));
  }

  /** Lets go of everything. */
  #release() {
    this.#run++;
    this.#hurry();
    clearInterval(this.#timer);
    window.removeEventListener('pagehide', this.#leave);
    window.removeEventListener('online', this.#online);
    this.#waker.release();
    this.#capture?.close();
    this.#capture = null;
    const session = this.#session;
    this.#session = null;
    this.#emit('capture');
    return session?.close();
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
