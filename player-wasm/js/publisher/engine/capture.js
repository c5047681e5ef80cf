// Camera, microphone and screen: opened, exchanged, closed.

import { captureError, PublishError } from './error.js';
import { Sound } from './audio.js';

/**
 * What is captured.
 * @typedef {object} CaptureOptions
 * @property {'camera' | 'screen' | 'audio'} source
 * @property {string} camera     a device's id; empty: the browser's choice
 * @property {string} microphone a device's id; empty: the browser's choice
 * @property {number} width      of the picture wished for, in pixels
 * @property {number} height     of the picture wished for, in pixels
 * @property {number} fps        pictures per second wished for
 * @property {boolean} muted     the microphone is silent
 * @property {boolean} cameraOff the picture is black
 */

const SPEECH = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** What a person publishes at the moment. */
export class Capture {
  /** What goes out, and what the preview shows. */
  stream = new MediaStream();
  /** Something of which the capture has less than asked for: a code. */
  lack = '';
  #sound = new Sound();
  /** @type {MediaStreamTrack | null} */
  #picture = null;
  /** @type {MediaStreamTrack | null} */
  #microphone = null;
  /** The sound of the screen. @type {MediaStreamTrack | null} */
  #system = null;
  #options;
  #onend;
  #closed = false;

  /**
   * @param {CaptureOptions} options
   * @param {(kind: 'picture' | 'microphone') => void} onend the person, or the system, has ended one
   */
  constructor(options, onend) {
    this.#options = options;
    this.#onend = onend;
  }

  get sound() { return this.#sound; }
  get level() { return this.#sound.level; }
  get picture() { return this.#picture; }
  get microphone() { return this.#microphone; }

  /** Whether the preview is a mirror: of a camera, unless it looks away from the person. */
  get mirrored() {
    return this.#options.source === 'camera' && this.#picture?.getSettings().facingMode !== 'environment';
  }

  /** Asks for everything; throws a PublishError. */
  async open() {
    const { source } = this.#options;
    if (source === 'screen') {
      await this.#openScreen();
      this.#microphone = await this.#user({ audio: this.#audio() }).then((stream) => stream.getAudioTracks()[0] ?? null, () => null);
      if (!this.#microphone && !this.#system) this.lack = 'no-microphone';
    } else {
      const stream = await this.#user({ audio: this.#audio(), ...(source === 'camera' && { video: this.#video() }) })
        .catch((error) => this.#less(error));
      this.#microphone = stream.getAudioTracks()[0] ?? null;
      this.#picture = stream.getVideoTracks()[0] ?? null;
      if (!this.#microphone) this.lack = 'no-microphone';
    }
    this.#assemble();
  }

  /**
   * Exchanges the picture: another camera, or the screen instead of it.
   * @param {CaptureOptions} options
   */
  async usePicture(options) {
    const { source } = this.#options = options;
    const before = [this.#picture, this.#system];
    if (source === 'screen') await this.#openScreen();
    else {
      // Many systems open a camera only once: a phone's two exclude each other.
      if (this.#picture) this.#picture.onended = null;
      this.#picture?.stop();
      const stream = await this.#user({ video: this.#video() });
      this.#picture = stream.getVideoTracks()[0] ?? null;
      this.#system = null;
    }
    for (const track of before) if (track !== this.#picture && track !== this.#system) stop(track);
    this.#assemble();
  }

  /** Exchanges the microphone. @param {CaptureOptions} options */
  async useMicrophone(options) {
    this.#options = options;
    const stream = await this.#user({ audio: this.#audio() });
    stop(this.#microphone);
    this.#microphone = stream.getAudioTracks()[0] ?? null;
    this.#assemble();
  }

  /** Another size, or mute. @param {CaptureOptions} options */
  async adjust(options) {
    const sized = ['width', 'height', 'fps'].some((name) => /** @type {any} */ (options)[name] !== /** @type {any} */ (this.#options)[name]);
    this.#options = options;
    this.#mute();
    const { deviceId: _, ...size } = this.#video();
    // A camera that cannot goes on as it is.
    if (sized) await this.#picture?.applyConstraints(size).catch(() => {});
  }

  close() {
    this.#closed = true;
    for (const track of [this.#picture, this.#microphone, this.#system]) stop(track);
    this.#sound.close();
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  #video() {
    const { camera, width, height, fps } = this.#options;
    return {
      width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps },
      ...(camera && { deviceId: { exact: camera } }),
    };
  }

  #audio() {
    const { microphone } = this.#options;
    return { ...SPEECH, ...(microphone && { deviceId: { exact: microphone } }) };
  }

  /** @param {MediaStreamConstraints} constraints */
  async #user(constraints) {
    return this.#checked(await navigator.mediaDevices.getUserMedia(constraints).catch((error) => { throw captureError(error); }));
  }

  async #openScreen() {
    const { width, height, fps } = this.#options;
    const video = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps } };
    if (!navigator.mediaDevices.getDisplayMedia) throw new PublishError('no-screen');
    const stream = this.#checked(await navigator.mediaDevices.getDisplayMedia({ video, audio: true })
      .catch((error) => { throw captureError(error, true); }));
    this.#picture = stream.getVideoTracks()[0] ?? null;
    this.#system = stream.getAudioTracks()[0] ?? null;
    // Text stays sharp; frames may be fewer.
    if (this.#picture) this.#picture.contentHint = 'detail';
  }

  /** What comes when it is not wanted any more is closed at once. @param {MediaStream} stream */
  #checked(stream) {
    if (!this.#closed) return stream;
    for (const track of stream.getTracks()) track.stop();
    throw new PublishError('stopped');
  }

  /** A machine with a camera and no microphone is asked for the camera alone. @param {PublishError} error */
  async #less(error) {
    const devices = error.code === 'no-device' ? await navigator.mediaDevices.enumerateDevices() : [];
    const has = (/** @type {string} */ kind) => devices.some((device) => device.kind === kind);
    const { source, microphone, camera } = this.#options;
    if (devices.length && (microphone || camera)) {
      // A chosen device that is gone: the browser's choice instead.
      this.#options = { ...this.#options, microphone: '', camera: '' };
    } else if (source !== 'camera' || !has('videoinput') || has('audioinput')) {
      throw error;
    }
    return this.#user({
      ...(has('audioinput') && { audio: this.#audio() }), ...(source === 'camera' && { video: this.#video() }),
    });
  }

  /** Makes the stream of the tracks there are. */
  #assemble() {
    this.#mute();
    const audio = this.#sound.take([this.#microphone, this.#system].filter((track) => track !== null));
    const wanted = [this.#picture, audio].filter((track) => track !== null);
    for (const track of this.stream.getTracks()) if (!wanted.includes(track)) this.stream.removeTrack(track);
    for (const track of wanted) this.stream.addTrack(track);
    if (this.#picture) this.#picture.onended = () => this.#onend('picture');
    if (this.#microphone) this.#microphone.onended = () => this.#onend('microphone');
  }

  #mute() {
    if (this.#microphone) this.#microphone.enabled = !this.#options.muted;
    if (this.#picture) this.#picture.enabled = !this.#options.cameraOff;
  }
}

/** @param {MediaStreamTrack | null} track */
function stop(track) {
  if (!track) return;
  track.onended = null;
  track.stop();
}
