// Publishes FLV over a WebSocket, for networks that block everything else.

import { canEncode, h264Config, VideoTrackEncoder, AudioTrackEncoder } from './encoder.js';
import { PublishError, refused, unreached } from './error.js';
import { socketOf } from './socket-address.js';
import { audioFrame, audioSequence, flvHeader, videoFrame, videoSequence } from './tags.js';
import { bearer } from '../../net/token.js';

const AUDIO_BITRATE = 128_000;
/** Maximum milliseconds of media that wait to be sent. Beyond that, frames are dropped until a key frame. */
const BACKLOG = 1_000;
const PATIENCE = 10_000;

/** Returns whether this browser can encode H.264 for a WebSocket. @param {{ width: number, height: number, fps: number, bitrate: number }} options */
export const encodesH264 = async (options) => canEncode() && !!await h264Config(options);

export class FlvSession {
  #options;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {VideoTrackEncoder | null} */
  #videoEncoder = null;
  /** @type {AudioTrackEncoder | null} */
  #audioEncoder = null;
  #closed = false;
  #begin = 0;
  /** Whether the configurations for decoders were sent. */
  #ready = { audio: false, video: false };
  /** Whether frames are dropped until the next key frame. */
  #dropping = false;
  #rate;
  #count = { bytes: 0, frames: 0, dropped: 0, key: 0 };
  #last = { at: 0, bytes: 0, frames: 0, lost: 0, skipped: 0 };
  /** Settles {@link #flowing}. @type {(error?: PublishError) => void} */
  #answer = () => {};
  /** Resolves when the first media is sent. Rejects if no media can be sent. @type {Promise<void>} */
  #flowing = new Promise((resolve, reject) => {
    this.#answer = (error) => (error ? reject(error) : resolve());
  });

  /** @param {import('./rtc.js').SessionOptions} options */
  constructor(options) {
    this.#options = options;
    this.#rate = options.bitrate;
    this.#flowing.catch(() => {});
  }

  protocol = 'ws-flv';
  servers = /** @type {RTCIceServer[]} */ ([]);
  /** Audio passes through an AudioContext, which a browser may suspend. */
  get lack() { return this.#audioEncoder && this.#options.capture.audio.suspended ? 'sound-suspended' : ''; }

  async open() {
    const { capture, fps, endpoint, base } = this.#options;
    if (!endpoint.flv) throw new PublishError('no-webrtc');
    if (!canEncode()) throw new PublishError('no-encoder');
    this.#socket = await this.#connect();
    if (this.#closed) throw new PublishError('stopped');
    this.#socket.onmessage = null;
    this.#socket.onclose = ({ code, reason }) => this.#gone(code, reason);
    const { video } = capture;
    const [audio] = capture.stream.getAudioTracks();
    this.#begin = performance.now();
    // Do not announce audio that waits for a click.
    this.#send(flvHeader(!!audio && !capture.audio.suspended, !!video));
    const fail = (/** @type {PublishError} */ error) => this.#lost(error);
    if (audio) {
      this.#audioEncoder = new AudioTrackEncoder(capture.audio, (taken) => this.#pushAudio(taken), fail);
      await this.#audioEncoder.open(AUDIO_BITRATE, base).catch((error) => { throw new PublishError('encoder', String(error)); });
      if (this.#closed) throw new PublishError('stopped');
    }
    if (video) {
      this.#videoEncoder = new VideoTrackEncoder({ bitrate: this.#rate, fps }, (taken) => this.#pushVideo(taken), fail);
      this.#videoEncoder.use(video);
    }
    const timer = setTimeout(() => this.#answer(new PublishError('encoder', 'nothing was encoded')), PATIENCE);
    await this.#flowing.finally(() => clearTimeout(timer));
  }

  /** Does nothing: a WebSocket has no other route, so the publisher opens a new connection. @returns {Promise<void>} */
  restart() { return Promise.reject(new PublishError('network')); }

  async replace() {
    const { video } = this.#options.capture;
    if (video) this.#videoEncoder?.use(video);
  }

  /** @param {import('./rtc.js').SessionOptions} options */
  async set(options) {
    if (options.bitrate !== this.#options.bitrate && this.#videoEncoder) this.#videoEncoder.bitrate = this.#rate = options.bitrate;
    this.#options = options;
  }

  /** @returns {Promise<import('./rtc.js').Figures>} */
  async figures() {
    const { bytes, frames, dropped } = this.#count;
    const skipped = this.#videoEncoder?.skipped ?? 0;
    const last = this.#last;
    const at = performance.now();
    const passed = (at - last.at) / 1000;
    const rate = (/** @type {number} */ now, /** @type {number} */ before) => (last.at ? Math.max(0, (now - before) / passed) : 0);
    const sent = bytes - (this.#socket?.bufferedAmount ?? 0);
    const all = frames + dropped + skipped;
    const figures = {
      bitrate: rate(sent, last.bytes) * 8,
      fps: rate(frames, last.frames),
      ...this.#videoEncoder?.size,
      codecs: [this.#videoEncoder?.codec, this.#audioEncoder && 'opus'].filter(Boolean).join(','),
      rtt: 0,
      loss: all > last.frames + last.lost ? (dropped + skipped - last.lost) / (all - last.frames - last.lost) : 0,
      limitation: dropped + skipped === last.lost ? 'none' : skipped === last.skipped ? 'bandwidth' : 'cpu',
      transport: 'tcp',
    };
    this.#last = { at, bytes: sent, frames, lost: dropped + skipped, skipped };
    return /** @type {import('./rtc.js').Figures} */ (figures);
  }

  async close() {
    this.#closed = true;
    this.#answer(new PublishError('stopped'));
    this.#videoEncoder?.close();
    this.#audioEncoder?.close();
    const socket = this.#socket;
    if (!socket || socket.readyState > 1) return;
    // The name is free after both sides have closed the connection.
    const closed = new Promise((resolve) => { socket.onclose = resolve; });
    socket.close();
    await Promise.race([closed, new Promise((resolve) => { setTimeout(resolve, 2000); })]);
  }

  /** @returns {Promise<WebSocket>} */
  async #connect() {
    const { endpoint, token } = this.#options;
    const given = await token();
    if (this.#closed) throw new PublishError('stopped');
    const socket = new WebSocket(socketOf(endpoint.flv, given));
    this.#socket = socket;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      socket.onopen = socket.onclose = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
    if (this.#closed || socket.readyState === 1) return socket;
    socket.onclose = null;
    socket.close();
    throw await this.#why();
  }

  /** Finds out why the WebSocket was refused, with a POST without a body: a WebSocket reports no reason. */
  async #why() {
    const { endpoint, token } = this.#options;
    const { origin } = new URL(endpoint.flv);
    await fetch(origin, { method: 'HEAD', mode: 'no-cors', signal: AbortSignal.timeout?.(PATIENCE) })
      .catch((error) => { throw unreached(error); });
    // A server answered, so it may have used the previous token up.
    const headers = bearer(await token());
    try {
      const response = await fetch(endpoint.flv, { method: 'POST', headers });
      return response.ok ? new PublishError('network') : await refused(response);
    } catch (error) {
      return new PublishError('network', String(error));
    }
  }

  /** @param {import('./encoder.js').EncodedPicture} taken */
  #pushVideo({ units, key, time, description }) {
    const at = this.#time(time);
    if (description) {
      this.#send(videoSequence(at, description));
      this.#ready.video = true;
    }
    const waiting = (this.#socket?.bufferedAmount ?? 0) * 8000 / Math.max(this.#rate, 100_000);
    if (waiting > BACKLOG && !this.#dropping) {
      this.#dropping = true;
      // The network is slower than the encoder.
      if (this.#videoEncoder) this.#videoEncoder.bitrate = this.#rate = Math.max(150_000, this.#rate * 0.7);
    }
    if (this.#dropping && waiting < BACKLOG / 4) {
      if (key) this.#dropping = false;
      else this.#videoEncoder?.askKey();
    }
    if (this.#dropping || !this.#ready.video) return void this.#count.dropped++;
    this.#count.frames++;
    if (key) this.#recover(at);
    this.#send(videoFrame(at, key, units));
    this.#answer();
    return undefined;
  }

  /** Raises the bit rate to the requested value in steps, while no media waits. @param {number} at in milliseconds */
  #recover(at) {
    if (this.#rate >= this.#options.bitrate || at - this.#count.key < 10_000) return;
    this.#count.key = at;
    if (this.#videoEncoder) this.#videoEncoder.bitrate = this.#rate = Math.min(this.#options.bitrate, this.#rate * 1.2);
  }

  /** @param {{ chunk: EncodedAudioChunk, time: number, description?: AllowSharedBufferSource }} taken */
  #pushAudio({ chunk, time, description }) {
    const at = this.#time(time);
    if (description) {
      this.#send(audioSequence(at, description));
      this.#ready.audio = true;
    }
    // Audio is small. It is dropped only if the network transports nothing at all.
    if ((this.#socket?.bufferedAmount ?? 0) > 4_000_000) return;
    this.#send(audioFrame(at, chunk));
    if (!this.#options.capture.video) this.#answer();
  }

  /** Returns the milliseconds since the start. @param {number} time on the page's clock */
  #time(time) { return Math.max(0, Math.round(time - this.#begin)); }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  #send(bytes) {
    if (this.#socket?.readyState !== 1) return;
    this.#socket.send(bytes);
    this.#count.bytes += bytes.length;
  }

  /** @param {number} code @param {string} reason */
  #gone(code, reason) {
    // 1008: an operator has ended the stream. After other codes, reconnect.
    this.#lost(code === 1008 ? new PublishError('ended', reason) : new PublishError('lost', reason));
  }

  /** @param {PublishError} error */
  #lost(error) {
    this.#answer(error);
    if (!this.#closed) this.#options.onlost(error);
  }
}
