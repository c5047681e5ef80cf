// Publishes over WebRTC: one session, from the offer to its end.

import { onlyLoopback } from '../../net/browser.js';
import { Signalling } from '../../net/signalling.js';
import { PublishError, WHIP_ERRORS } from './error.js';
import { restart, restarted } from './ice-restart.js';
import { prefer } from './prefer.js';

/**
 * Options of a session, over WebRTC or FLV.
 * @typedef {object} SessionOptions
 * @property {import('./endpoints.js').Endpoint} endpoint
 * @property {() => Promise<string>} token for one request that opens a session; empty for none
 * @property {import('./capture.js').Capture} capture
 * @property {boolean} screen   whether the video shows a screen
 * @property {number} bitrate   limit of the video, in bits per second
 * @property {number} fps       preferred frames per second
 * @property {number} lines     height of the sent video, with `fps` as its limit; 0 for the captured height
 * @property {RTCIceServer[]} servers
 * @property {string} base      folder of the scripts that are fetched later; empty: beside this module
 * @property {(why: PublishError) => void} onlost called when the connection is lost
 */

/** @typedef {Partial<import('../../types/index.js').PublisherStats>} Figures */

/** Timeout in milliseconds of the answer to an offer. */
const ANSWER = 10_000;
/** Milliseconds after which the establishment of a connection has failed. */
const PATIENCE = 10_000;
/** The same for a kind of connection that this browser does not support. A later version may support it. */
const PATIENCE_LOOPBACK = 1_500;
/** Milliseconds of interruption after which the network counts as changed. */
const INTERRUPTED = 3_000;
const AUDIO_BITRATE = 128_000;

export class RtcSession {
  #options; #signalling;
  #pc;
  #abort = new AbortController();
  #closed = false;
  #timer = 0;
  /** The previous statistics, to compute rates. */
  #last = { at: 0, bytes: 0 };

  /** @param {SessionOptions} options */
  constructor(options) {
    this.#options = options;
    this.#signalling = new Signalling(options.endpoint.whip, WHIP_ERRORS);
    this.#pc = new RTCPeerConnection({ iceServers: options.servers, bundlePolicy: 'max-bundle' });
  }

  protocol = 'webrtc';
  /** ICE servers from the server. */
  get servers() { return this.#signalling.servers; }
  /** Code of a warning: only WebRTC viewers can play the video codec, or the browser has suspended the mixed audio. */
  get lack() {
    const [codec] = this.#sender('video')?.getParameters().codecs ?? [];
    if (codec && !/h26[45]/i.test(codec.mimeType)) return 'no-h264';
    const { audio } = this.#options.capture;
    return audio.mixes && audio.suspended ? 'sound-suspended' : '';
  }

  /** Connects. Throws a PublishError. */
  async open() {
    const { capture } = this.#options;
    const pc = this.#pc;
    for (const track of capture.stream.getTracks()) {
      const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [capture.stream] });
      if (track.kind === 'video') prefer(transceiver);
    }
    const answer = await this.#offered(await pc.createOffer());
    await pc.setRemoteDescription({ type: 'answer', sdp: this.#tuned(answer) })
      .catch((error) => { throw new PublishError('http', String(error)); });
    if (pc.getTransceivers().every(({ currentDirection }) => currentDirection === 'inactive')) throw new PublishError('no-h264');
    await this.set(this.#options);
    await this.#connected();
    pc.onconnectionstatechange = () => this.#watch();
  }

  /** Continues the session over another network. Throws if that fails. */
  async restart() {
    const pc = this.#pc;
    clearTimeout(this.#timer);
    pc.onconnectionstatechange = null;
    if (!this.#signalling.location) throw new PublishError('ice');
    const before = pc.remoteDescription?.sdp ?? '';
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    await gathered(pc);
    const part = await restart(this.#signalling, pc.localDescription?.sdp ?? '', this.#abort.signal);
    await pc.setRemoteDescription({ type: 'answer', sdp: restarted(before, part) })
      .catch((error) => { throw new PublishError('ice', String(error)); });
    await this.#connected();
    pc.onconnectionstatechange = () => this.#watch();
  }

  /** Sends the current tracks of the capture. */
  async replace() {
    for (const track of this.#options.capture.stream.getTracks()) {
      const sender = this.#sender(track.kind);
      if (sender && sender.track !== track) await sender.replaceTrack(track);
    }
  }

  /** Applies another bit rate. @param {SessionOptions} options */
  async set(options) {
    this.#options = options;
    const { screen, bitrate, fps, lines } = options;
    for (const sender of this.#pc.getSenders()) {
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings ?? [];
      if (!encoding) continue;
      encoding.maxBitrate = sender.track?.kind === 'audio' ? AUDIO_BITRATE : bitrate;
      if (sender.track?.kind === 'video') {
        const { width = 0, height = 0 } = sender.track.getSettings();
        if (lines) Object.assign(encoding, { scaleResolutionDownBy: Math.max(1, Math.min(width, height) / lines), maxFramerate: fps });
        /** @type {{ degradationPreference?: string }} */ (parameters).degradationPreference = screen ? 'maintain-resolution' : 'balanced';
      }
      // An older browser chooses the bit rate by itself.
      await sender.setParameters(parameters).catch(() => {});
    }
  }

  /** @returns {Promise<Figures>} */
  async figures() {
    const report = await this.#pc.getStats().catch(() => new Map());
    /** @type {any[]} */
    const all = [...report.values()];
    const find = (/** @type {string} */ type, /** @type {string} */ kind) => all.find((one) => one.type === type && one.kind === kind) ?? {};
    const video = find('outbound-rtp', 'video');
    const audio = find('outbound-rtp', 'audio');
    const remote = all.filter((one) => one.type === 'remote-inbound-rtp');
    const codecs = [video, audio].map(({ codecId }) => /** @type {any} */ (report.get(codecId))?.mimeType?.split('/')[1]);
    const pair = all.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
    const bytes = (video.bytesSent ?? 0) + (audio.bytesSent ?? 0);
    const at = performance.now();
    const passed = (at - this.#last.at) / 1000;
    const bitrate = this.#last.at ? Math.max(0, (bytes - this.#last.bytes) * 8 / passed) : 0;
    this.#last = { at, bytes };
    return {
      bitrate,
      fps: video.framesPerSecond ?? 0,
      width: video.frameWidth ?? 0,
      height: video.frameHeight ?? 0,
      codecs: codecs.filter(Boolean).join(','),
      rtt: pair?.currentRoundTripTime ?? remote[0]?.roundTripTime ?? 0,
      loss: Math.max(0, ...remote.map((one) => one.fractionLost ?? 0)),
      limitation: video.qualityLimitationReason ?? 'none',
      transport: report.get(pair?.localCandidateId)?.protocol ?? '',
    };
  }

  /** Ends the session at the server and in the browser. */
  async close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#pc.onconnectionstatechange = null;
    this.#abort.abort();
    await this.#signalling.end(this.#pc);
  }

  /** @param {string} kind */
  #sender(kind) {
    return this.#pc.getSenders().find(({ track }) => track?.kind === kind);
  }

  /** Sends an offer. Resolves to the answer. @param {RTCSessionDescriptionInit} offer */
  async #offered(offer) {
    const pc = this.#pc;
    await pc.setLocalDescription(offer);
    await gathered(pc);
    if (this.#closed) throw new PublishError('stopped');
    const token = await this.#options.token();
    if (this.#closed) throw new PublishError('stopped');
    // A firewall may drop packets, so the server never answers.
    const limit = setTimeout(() => this.#abort.abort(), ANSWER);
    return this.#signalling.offer(pc.localDescription?.sdp ?? '', token, this.#abort.signal).finally(() => clearTimeout(limit));
  }

  /** Returns the answer with settings for this browser's encoders. @param {string} answer */
  #tuned(answer) {
    const start = Math.round(Math.min(this.#options.bitrate, 1_000_000) / 1000);
    // Without these settings, Chromium starts with 300 kb/s, and every microphone is mono.
    const stereo = formatted(answer, /^a=rtpmap:(\d+) opus\/48000\/2.*$/gmi, `stereo=1;maxaveragebitrate=${AUDIO_BITRATE};usedtx=0`);
    return formatted(stereo, /^a=rtpmap:(\d+) H264\/90000.*$/gmi, `x-google-start-bitrate=${start}`);
  }

  /** @returns {Promise<void>} */
  #connected() {
    const pc = this.#pc;
    const loopback = onlyLoopback(pc.remoteDescription?.sdp ?? '');
    const failure = () => new PublishError('ice', loopback ? 'loopback' : '');
    return new Promise((resolve, reject) => {
      const end = (/** @type {PublishError | undefined} */ error) => {
        clearTimeout(timer);
        pc.removeEventListener('connectionstatechange', look);
        this.#abort.signal.removeEventListener('abort', stopped);
        if (error) reject(error);
        else resolve();
      };
      const stopped = () => end(new PublishError('stopped'));
      const look = () => {
        if (pc.connectionState === 'connected') end(undefined);
        else if (pc.connectionState === 'failed' || pc.connectionState === 'closed') end(failure());
      };
      const timer = setTimeout(() => end(failure()), loopback ? PATIENCE_LOOPBACK : PATIENCE);
      pc.addEventListener('connectionstatechange', look);
      this.#abort.signal.addEventListener('abort', stopped);
      look();
    });
  }

  #watch() {
    clearTimeout(this.#timer);
    const state = this.#pc.connectionState;
    const lost = () => this.#options.onlost(new PublishError('lost'));
    if (state === 'failed' || state === 'closed') lost();
    else if (state === 'disconnected') this.#timer = window.setTimeout(lost, INTERRUPTED);
  }
}

/**
 * Returns an SDP with more parameters in the fmtp line of a codec.
 * @param {string} sdp
 * @param {RegExp} codec matches its rtpmap lines; the payload type is the first group
 * @param {string} more
 */
function formatted(sdp, codec, more) {
  for (const [line, type] of sdp.matchAll(codec)) {
    const format = new RegExp(`^a=fmtp:${type} .*$`, 'm');
    sdp = format.test(sdp) ? sdp.replace(format, (is) => `${is};${more}`) : sdp.replace(line, () => `${line}\r\na=fmtp:${type} ${more}`);
  }
  return sdp;
}

/**
 * Waits for the host candidates, which take some milliseconds.
 * @param {RTCPeerConnection} pc
 * @returns {Promise<void>}
 */
function gathered(pc) {
  return new Promise((resolve) => {
    const look = () => { if (pc.iceGatheringState === 'complete' || pc.signalingState === 'closed') end(); };
    const end = () => {
      clearTimeout(timer);
      pc.removeEventListener('icegatheringstatechange', look);
      resolve();
    };
    const timer = setTimeout(end, 1000);
    pc.addEventListener('icegatheringstatechange', look);
    look();
  });
}
