// Publishing by WebRTC: one session, from the offer to its end.

import { onlyLoopback } from '../../net/browser.js';
import { PublishError } from './error.js';
import { prefer } from './prefer.js';
import { restarted, Whip } from './whip.js';

/**
 * What both ways of publishing are told.
 * @typedef {object} SessionOptions
 * @property {import('../../net/publish-address.js').Endpoint} endpoint
 * @property {() => Promise<string>} token for one request that begins something; empty: none
 * @property {import('./capture.js').Capture} capture
 * @property {boolean} screen   the picture is a screen
 * @property {number} bitrate   of the video at most, in bits per second
 * @property {number} fps       wished for
 * @property {RTCIceServer[]} servers
 * @property {string} base      folder of the scripts that are fetched later; empty: beside this module
 * @property {(why: PublishError) => void} onlost the connection is gone, by no wish of ours
 */

/** @typedef {Partial<import('../../types/index.js').PublisherStats>} Figures */

/** No connection within this: it will not come. */
const PATIENCE = 10_000;
/** The same where it is known not to come, should a later browser be better. */
const PATIENCE_LOOPBACK = 1_500;
/** Interrupted for this long: the network is another one. */
const INTERRUPTED = 3_000;
const AUDIO_BITRATE = 128_000;

export class RtcSession {
  #options; #whip;
  #pc;
  #abort = new AbortController();
  #closed = false;
  #timer = 0;
  /** Of the statistics before, to make rates of counts. */
  #last = { at: 0, bytes: 0 };

  /** @param {SessionOptions} options */
  constructor(options) {
    this.#options = options;
    this.#whip = new Whip(options.endpoint.whip, options.token);
    this.#pc = new RTCPeerConnection({ iceServers: options.servers, bundlePolicy: 'max-bundle' });
  }

  protocol = 'webrtc';
  /** What the server recommends. */
  get servers() { return this.#whip.servers; }
  /** The video's codec is one that only WebRTC viewers can see, or audio that is mixed here is held back. */
  get lack() {
    const [codec] = this.#sender('video')?.getParameters().codecs ?? [];
    if (codec && !/h26[45]/i.test(codec.mimeType)) return 'no-h264';
    const { sound } = this.#options.capture;
    return sound.mixes && sound.suspended ? 'sound-suspended' : '';
  }

  /** Connects; throws a PublishError. */
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

  /** Another network: the same session goes on by a new route. Throws when it does not. */
  async restart() {
    const pc = this.#pc;
    clearTimeout(this.#timer);
    pc.onconnectionstatechange = null;
    if (!this.#whip.location) throw new PublishError('ice');
    const before = pc.remoteDescription?.sdp ?? '';
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    await gathered(pc);
    const part = await this.#whip.restart(pc.localDescription?.sdp ?? '', this.#abort.signal);
    await pc.setRemoteDescription({ type: 'answer', sdp: restarted(before, part) })
      .catch((error) => { throw new PublishError('ice', String(error)); });
    await this.#connected();
    pc.onconnectionstatechange = () => this.#watch();
  }

  /** Sends the capture's tracks, which may be others than before. */
  async replace() {
    for (const track of this.#options.capture.stream.getTracks()) {
      const sender = this.#sender(track.kind);
      if (sender && sender.track !== track) await sender.replaceTrack(track);
    }
  }

  /** Takes another bit rate. @param {SessionOptions} options */
  async set(options) {
    this.#options = options;
    const { screen, bitrate } = options;
    for (const sender of this.#pc.getSenders()) {
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings ?? [];
      if (!encoding) continue;
      encoding.maxBitrate = sender.track?.kind === 'audio' ? AUDIO_BITRATE : bitrate;
      if (sender.track?.kind === 'video') {
        /** @type {any} */ (parameters).degradationPreference = screen ? 'maintain-resolution' : 'balanced';
      }
      // An older browser keeps its own.
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

  /** Ends it here and there. */
  async close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#pc.onconnectionstatechange = null;
    this.#abort.abort();
    // First: a page that goes away gets no further than this, and a server that hears of the peer's end
    // before would not know the session any more.
    await this.#whip.delete();
    this.#pc.close();
  }

  /** @param {string} kind */
  #sender(kind) {
    return this.#pc.getSenders().find(({ track }) => track?.kind === kind);
  }

  /** Sends an offer; the answer. @param {RTCSessionDescriptionInit} offer */
  async #offered(offer) {
    const pc = this.#pc;
    await pc.setLocalDescription(offer);
    await gathered(pc);
    if (this.#closed) throw new PublishError('stopped');
    const answer = await this.#whip.offer(pc.localDescription?.sdp ?? '', this.#abort.signal);
    if (!this.#closed) return answer;
    // Stopped while the server answered.
    await this.#whip.delete();
    throw new PublishError('stopped');
  }

  /** The answer with what we want of our own encoders. @param {string} answer */
  #tuned(answer) {
    const start = Math.round(Math.min(this.#options.bitrate, 1_000_000) / 1000);
    // Chromium begins with 300 kb/s, and makes mono of every microphone, unless told.
    const sound = formatted(answer, /^a=rtpmap:(\d+) opus\/48000\/2.*$/gmi, `stereo=1;maxaveragebitrate=${AUDIO_BITRATE};usedtx=0`);
    return formatted(sound, /^a=rtpmap:(\d+) H264\/90000.*$/gmi, `x-google-start-bitrate=${start}`);
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
 * An SDP that says more of a codec's format.
 * @param {string} sdp
 * @param {RegExp} codec its rtpmap lines, with the payload type as the first group
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
