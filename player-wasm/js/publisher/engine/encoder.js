// Encodes video as H.264 and audio as Opus, with WebCodecs.

import { HOME } from '../../net/home.js';
import { DeviceClock } from './clock.js';
import { coded, PublishError } from './error.js';
import { avcc, takeApart } from './nal.js';

/** Milliseconds between key frames. Viewers can join at a key frame. */
const KEY_EVERY = 2_000;

/** Whether this browser supports the interfaces. */
export const canEncode = () => 'VideoEncoder' in globalThis && 'AudioEncoder' in globalThis && 'AudioWorkletNode' in globalThis;

/** Returns the H.264 level for a number of pixels per second (H.264 A.3). @param {number} rate */
const level = (rate) => (rate <= 27_648_000 ? '1f' : rate <= 62_914_560 ? '28' : '33');

/**
 * Finds a configuration that this browser can encode; null if it has no H.264 encoder for this size.
 * @param {{ width: number, height: number, fps: number, bitrate: number }} options
 */
export async function h264Config({ width, height, fps, bitrate }) {
  const suffix = level(width * height * fps);
  for (const profile of ['42e0', '4d00', '6400']) {
    /** @type {VideoEncoderConfig} */
    const config = {
      codec: `avc1.${profile}${suffix}`, width, height, bitrate, framerate: fps, latencyMode: 'realtime', avc: { format: 'annexb' },
    };
    const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({ supported: false }));
    if (supported) return config;
  }
  return null;
}

/**
 * @typedef {object} EncodedPicture
 * @property {Uint8Array[]} units NAL units of one frame
 * @property {boolean} key
 * @property {number} time in milliseconds on the page's clock
 * @property {Uint8Array | undefined} description the new configuration (avcC)
 */

/** Encodes a video track. The track may be replaced. */
export class VideoTrackEncoder {
  /** Number of frames that were dropped because the encoder was too slow. */
  skipped = 0;
  size = { width: 0, height: 0 };
  codec = '';
  #take; #fail;
  /** @type {VideoEncoder | null} */
  #encoder = null;
  #clock = new DeviceClock();
  #bitrate; #fps;
  #key = -Infinity;
  /** The number of the current track. The reader of a replaced track stops. */
  #run = 0;
  /** The parameter sets of the current configuration. */
  #sets = '';

  /**
   * @param {{ bitrate: number, fps: number }} options
   * @param {(taken: EncodedPicture) => void} take
   * @param {(error: PublishError) => void} fail
   */
  constructor({ bitrate, fps }, take, fail) {
    this.#bitrate = bitrate;
    this.#fps = fps;
    this.#take = take;
    this.#fail = fail;
  }

  /** Makes the next frame a key frame. */
  askKey() { this.#key = -Infinity; }

  /** @param {number} bitrate in bits per second */
  set bitrate(bitrate) {
    if (bitrate === this.#bitrate) return;
    this.#bitrate = bitrate;
    // The next frame configures the encoder again.
    this.size = { width: 0, height: 0 };
  }

  /** @param {MediaStreamTrack} track */
  use(track) {
    const run = ++this.#run;
    this.#clock = new DeviceClock();
    const go = () => run === this.#run;
    const frames = 'MediaStreamTrackProcessor' in globalThis ? ofProcessor(track, go) : ofVideo(track, go);
    void (async () => {
      for await (const frame of frames) {
        try {
          if (go()) await this.#encode(frame);
        } finally {
          frame.close();
        }
      }
    })().catch((error) => { if (go()) this.#fail(coded(error, 'encoder')); });
  }

  close() {
    this.#run++;
    if (this.#encoder?.state !== 'closed') this.#encoder?.close();
  }

  /** @param {VideoFrame} frame */
  async #encode(frame) {
    const now = performance.now();
    const time = this.#clock.map(frame.timestamp / 1000, now);
    if ((this.#encoder?.encodeQueueSize ?? 0) > 2) return void this.skipped++;
    const [width, height] = [frame.displayWidth & ~1, frame.displayHeight & ~1];
    if (width !== this.size.width || height !== this.size.height) await this.#configure(width, height);
    const keyFrame = time - this.#key >= KEY_EVERY;
    if (keyFrame) this.#key = time;
    const stamped = new VideoFrame(frame, { timestamp: Math.round(time * 1000) });
    this.#encoder?.encode(stamped, { keyFrame });
    stamped.close();
    return undefined;
  }

  /** @param {number} width @param {number} height */
  async #configure(width, height) {
    const config = await h264Config({ width, height, fps: this.#fps, bitrate: this.#bitrate });
    if (!config) throw new PublishError('no-h264');
    // Create a new encoder: Chromium's encoder adds the parameter sets of a new size to the old ones, and players use the first.
    if (this.#encoder && this.#encoder.state !== 'closed') this.#encoder.close();
    this.#encoder = new VideoEncoder({
      output: (chunk) => this.#output(chunk),
      error: (error) => this.#fail(new PublishError('encoder', String(error))),
    });
    this.#encoder.configure(config);
    this.size = { width, height };
    this.codec = config.codec;
    this.#key = -Infinity;
    this.#sets = '';
  }

  /** @param {EncodedVideoChunk} chunk */
  #output(chunk) {
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const { sps, pps, units } = takeApart(data);
    let description;
    // Encoders repeat the parameter sets with each key frame.
    if (sps.length && String([sps, pps]) !== this.#sets) {
      this.#sets = String([sps, pps]);
      description = avcc(sps, pps);
    }
    if (units.length) this.#take({ units, key: chunk.type === 'key', time: chunk.timestamp / 1000, description });
  }
}

/** @param {MediaStreamTrack} track @param {() => boolean} go @returns {AsyncGenerator<VideoFrame>} */
async function* ofProcessor(track, go) {
  const Processor = /** @type {NonNullable<typeof MediaStreamTrackProcessor>} */ (globalThis.MediaStreamTrackProcessor);
  const reader = new Processor({ track }).readable.getReader();
  try {
    while (go()) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Reads the frames that a video element shows, for browsers without track processors. @param {MediaStreamTrack} track @param {() => boolean} go */
async function* ofVideo(track, go) {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  await video.play();
  while (go() && track.readyState === 'live') {
    const at = await new Promise((resolve) => { video.requestVideoFrameCallback(resolve); });
    yield new VideoFrame(video, { timestamp: Math.round(at * 1000) });
  }
  video.srcObject = null;
}

/** Encodes the audio of a mixer. */
export class AudioTrackEncoder {
  #mixer; #fail;
  /** @type {AudioWorkletNode | null} */
  #tap = null;
  #encoder;
  #clock = new DeviceClock();
  #frames = 0;

  /**
   * @param {import('./audio.js').AudioMixer} mixer
   * @param {(taken: { chunk: EncodedAudioChunk, time: number, description?: AllowSharedBufferSource }) => void} take
   * @param {(error: PublishError) => void} fail
   */
  constructor(mixer, take, fail) {
    this.#mixer = mixer;
    this.#fail = fail;
    this.#encoder = new AudioEncoder({
      output: (chunk, metadata) => take({ chunk, time: chunk.timestamp / 1000, description: metadata?.decoderConfig?.description }),
      error: (error) => fail(new PublishError('encoder', String(error))),
    });
  }

  /** @param {number} bitrate in bits per second @param {string} base folder of publisher-tap.js; empty: beside this module */
  async open(bitrate, base) {
    const { context, bus } = this.#mixer;
    const home = base && new URL(base, document.baseURI) || HOME;
    await context.audioWorklet.addModule(home ? new URL('publisher-tap.js', home) : new URL('./tap.js', import.meta.url));
    if (this.#encoder.state === 'closed') return;
    this.#encoder.configure({ codec: 'opus', sampleRate: context.sampleRate, numberOfChannels: 2, bitrate });
    this.#tap = new AudioWorkletNode(context, 'lianmai-tap', { numberOfOutputs: 0, channelCount: 2, channelCountMode: 'explicit' });
    this.#tap.port.onmessage = ({ data }) => this.#encode(data, context.sampleRate);
    bus.connect(this.#tap);
  }

  close() {
    if (this.#tap) {
      this.#tap.port.onmessage = null;
      this.#mixer.bus.disconnect(this.#tap);
    }
    if (this.#encoder.state !== 'closed') this.#encoder.close();
  }

  /** @param {Float32Array<ArrayBuffer>} data two planes @param {number} sampleRate */
  #encode(data, sampleRate) {
    if (this.#encoder.state !== 'configured') return;
    const numberOfFrames = data.length / 2;
    const time = this.#clock.map(this.#frames * 1000 / sampleRate, performance.now() - numberOfFrames * 1000 / sampleRate);
    this.#frames += numberOfFrames;
    const samples = new AudioData({
      format: 'f32-planar', sampleRate, numberOfFrames, numberOfChannels: 2, timestamp: Math.round(time * 1000), data,
    });
    try {
      this.#encoder.encode(samples);
    } catch (error) {
      this.#fail(new PublishError('encoder', String(error)));
    }
    samples.close();
  }
}
