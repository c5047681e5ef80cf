// Opens, replaces and closes camera, microphone and screen.

import { captureError, PublishError } from './error.js';
import { AudioMixer } from './audio.js';

/**
 * Settings of a capture.
 * @typedef {object} CaptureOptions
 * @property {'camera' | 'screen' | 'audio'} source
 * @property {string} camera     the id of a device; empty for the browser's choice
 * @property {string} microphone the id of a device; empty for the browser's choice
 * @property {number} width      preferred width of the video, in pixels
 * @property {number} height     preferred height of the video, in pixels
 * @property {number} fps        preferred frames per second
 * @property {boolean} muted     whether the microphone is silent
 * @property {boolean} cameraOff whether the video is black
 * @property {boolean} [alone]   whether a screen has its own audio only, without the microphone
 */

const SPEECH = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
/** In a conversation, the audio of the whole system contains the voices of the others, who would hear themselves. */
const OWN_AUDIO = { systemAudio: 'exclude', selfBrowserSurface: 'exclude' };

/** The published tracks. */
export class Capture {
  /** The published stream, which the preview shows. */
  stream = new MediaStream();
  /** Code of the warning about a missing device; empty if none is missing. */
  lack = '';
  #mixer = new AudioMixer();
  /** @type {MediaStreamTrack | null} */
  #videoTrack = null;
  /** @type {MediaStreamTrack | null} */
  #microphone = null;
  /** The audio of the screen. @type {MediaStreamTrack | null} */
  #system = null;
  #options;
  #onend;
  #closed = false;

  /**
   * @param {CaptureOptions} options
   * @param {(kind: 'video' | 'microphone') => void} onend called when the user or the system has ended a track
   */
  constructor(options, onend) {
    this.#options = options;
    this.#onend = onend;
  }

  get audio() { return this.#mixer; }
  get level() { return this.#mixer.level; }
  get video() { return this.#videoTrack; }
  get microphone() { return this.#microphone; }

  /** Whether the preview is mirrored. Cameras are mirrored, except those that point away from the user. */
  get mirrored() {
    return this.#options.source === 'camera' && this.#videoTrack?.getSettings().facingMode !== 'environment';
  }

  /** Opens the devices. Throws a PublishError. */
  async open() {
    const { source, alone } = this.#options;
    if (source === 'screen') {
      await this.#openScreen();
      if (!alone) this.#microphone = await this.#user({ audio: this.#audioConstraints() }).then((stream) => stream.getAudioTracks()[0] ?? null, () => null);
      if (!alone && !this.#microphone && !this.#system) this.lack = 'no-microphone';
    } else {
      const stream = await this.#user({ audio: this.#audioConstraints(), ...(source === 'camera' && { video: this.#videoConstraints() }) })
        .catch((error) => this.#less(error));
      this.#microphone = stream.getAudioTracks()[0] ?? null;
      this.#videoTrack = stream.getVideoTracks()[0] ?? null;
      if (!this.#microphone) this.lack = 'no-microphone';
    }
    this.#assemble();
  }

  /**
   * Replaces the video by another camera or the screen.
   * @param {CaptureOptions} options
   */
  async useVideo(options) {
    const { source } = this.#options = options;
    const before = [this.#videoTrack, this.#system];
    if (source === 'screen') await this.#openScreen();
    else {
      // Many systems open only one camera at a time, such as one of a phone's two cameras.
      if (this.#videoTrack) this.#videoTrack.onended = null;
      this.#videoTrack?.stop();
      const stream = await this.#user({ video: this.#videoConstraints() });
      this.#videoTrack = stream.getVideoTracks()[0] ?? null;
      this.#system = null;
    }
    for (const track of before) if (track !== this.#videoTrack && track !== this.#system) stop(track);
    this.#assemble();
  }

  /** Replaces the microphone. @param {CaptureOptions} options */
  async useMicrophone(options) {
    this.#options = options;
    const stream = await this.#user({ audio: this.#audioConstraints() });
    stop(this.#microphone);
    this.#microphone = stream.getAudioTracks()[0] ?? null;
    this.#assemble();
  }

  /** Applies a changed size or mute state. @param {CaptureOptions} options */
  async adjust(options) {
    const sized = /** @type {const} */ (['width', 'height', 'fps']).some((name) => options[name] !== this.#options[name]);
    this.#options = options;
    this.#mute();
    const { deviceId: _, ...size } = this.#videoConstraints();
    // A camera without this size keeps its own size.
    if (sized) await this.#videoTrack?.applyConstraints(size).catch(() => {});
  }

  close() {
    this.#closed = true;
    for (const track of [this.#videoTrack, this.#microphone, this.#system]) stop(track);
    this.#mixer.close();
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  #videoConstraints() {
    const { camera, width, height, fps } = this.#options;
    return {
      width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps },
      ...(camera && { deviceId: { exact: camera } }),
    };
  }

  #audioConstraints() {
    const { microphone } = this.#options;
    return { ...SPEECH, ...(microphone && { deviceId: { exact: microphone } }) };
  }

  /** @param {MediaStreamConstraints} constraints */
  async #user(constraints) {
    return this.#checked(await navigator.mediaDevices.getUserMedia(constraints).catch((error) => { throw captureError(error); }));
  }

  async #openScreen() {
    const { width, height, fps, alone } = this.#options;
    const video = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps } };
    if (!navigator.mediaDevices.getDisplayMedia) throw new PublishError('no-screen');
    const stream = this.#checked(await navigator.mediaDevices.getDisplayMedia({ video, audio: true, ...(alone && OWN_AUDIO) })
      .catch((error) => { throw captureError(error, true); }));
    this.#videoTrack = stream.getVideoTracks()[0] ?? null;
    this.#system = stream.getAudioTracks()[0] ?? null;
    // Keep text sharp, at the cost of fewer frames.
    if (this.#videoTrack) this.#videoTrack.contentHint = 'detail';
  }

  /** Closes a stream that arrives after the capture was closed. @param {MediaStream} stream */
  #checked(stream) {
    if (!this.#closed) return stream;
    for (const track of stream.getTracks()) track.stop();
    throw new PublishError('stopped');
  }

  /** Opens the available devices after a failure to open all of them. @param {PublishError} error */
  async #less(error) {
    const devices = error.code === 'no-device' ? await navigator.mediaDevices.enumerateDevices() : [];
    const has = (/** @type {string} */ kind) => devices.some((device) => device.kind === kind);
    const { source, microphone, camera } = this.#options;
    if (devices.length && (microphone || camera)) {
      // If a chosen device is gone, let the browser choose.
      this.#options = { ...this.#options, microphone: '', camera: '' };
    } else if (source !== 'camera' || !has('videoinput') || has('audioinput')) {
      throw error;
    }
    return this.#user({
      ...(has('audioinput') && { audio: this.#audioConstraints() }), ...(source === 'camera' && { video: this.#videoConstraints() }),
    });
  }

  /** Puts the current tracks into the stream. */
  #assemble() {
    this.#mute();
    const audio = this.#mixer.use([this.#microphone, this.#system].filter((track) => track !== null));
    const wanted = [this.#videoTrack, audio].filter((track) => track !== null);
    for (const track of this.stream.getTracks()) if (!wanted.includes(track)) this.stream.removeTrack(track);
    for (const track of wanted) this.stream.addTrack(track);
    if (this.#videoTrack) this.#videoTrack.onended = () => this.#onend('video');
    if (this.#microphone) this.#microphone.onended = () => this.#onend('microphone');
  }

  #mute() {
    if (this.#microphone) this.#microphone.enabled = !this.#options.muted;
    if (this.#videoTrack) this.#videoTrack.enabled = !this.#options.cameraOff;
  }
}

/** @param {MediaStreamTrack | null} track */
function stop(track) {
  if (!track) return;
  track.onended = null;
  track.stop();
}
