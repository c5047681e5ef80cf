// Drives a <video>: source, rate and playhead. Tells events that the viewer caused from those that the player caused.

import { now } from './clock.js';

/** Drives one `<video>`. */
export class MediaElement {
  #video;
  /** Whether the element has a source to play. */
  attached = false;
  /** Whether the player, not the viewer, caused the current pause or play event. */
  ours = false;
  /** Whether the player, not the viewer, caused the last seek. */
  own = true;
  /** The position, in seconds, of the last seek by the player. */
  #sent = NaN;
  #rate = 1;

  /** @param {HTMLVideoElement} video @param {AbortSignal} signal aborts when the player ends */
  constructor(video, signal) {
    this.#video = video;
    // Another seek by the player may be pending already.
    video.addEventListener('seeked', () => { if (!video.seeking) this.#sent = NaN; }, { signal });
  }

  /**
   * Attaches the first MediaSource, or one that replaces a broken MediaSource.
   * @param {import('./sources/messages.js').Media} source  a MediaSourceHandle, a MediaSource of this thread, or a MediaStream
   * @param {boolean | undefined} managed
   * @param {() => void} shown  called when the element has it
   */
  attach(source, managed, shown) {
    const video = this.#video;
    this.attached = true;
    this.#quietly(() => {
      if (managed) video.disableRemotePlayback = true;
      try {
        video.srcObject = /** @type {MediaProvider} */ (source);
      } catch {
        // `srcObject` accepts handles and streams. In older browsers, a MediaSource needs an object URL.
        const url = URL.createObjectURL(/** @type {MediaSource} */ (source));
        video.src = url;
        /** @type {MediaSource} */ (source).addEventListener('sourceopen', () => URL.revokeObjectURL(url), { once: true });
      }
      if (this.#rate !== 1) video.playbackRate = this.#rate;
      shown();
    });
  }

  /** Detaches the source. @param {boolean} shown it may show something: that is removed */
  release(shown) {
    const video = this.#video;
    this.attached = false;
    this.#rate = 1;
    if (!shown) return;
    this.#quietly(() => {
      video.playbackRate = 1;
      video.srcObject = null;
      video.removeAttribute('src');
      video.load();
    });
  }

  /** Runs a function that makes the element fire `pause`, and does not count that event as an action of the viewer. @param {() => void} work */
  #quietly(work) {
    this.ours = true;
    work();
    // The element queues its events as tasks; this task runs after them.
    setTimeout(() => { this.ours = false; });
  }

  /** @param {number} rate */
  setRate(rate) {
    const video = this.#video;
    this.#rate = rate;
    video.preservesPitch = true;
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  /** @param {number} time */
  seek(time) {
    this.#video.currentTime = time;
    // The browser moves the target into the seekable range, which may end earlier than the pipeline knows if the page is busy.
    this.#sent = this.#video.currentTime;
  }

  /** Handles the start of a seek. Returns whether the viewer caused it. */
  seeking() {
    this.own = Math.abs(this.#video.currentTime - this.#sent) < 0.002;
    return !this.own;
  }

  /** Returns the state of the playhead for the source. @returns {import('./sources/messages.js').Clock} */
  clock() {
    const video = this.#video;
    return {
      at: now(),
      time: video.currentTime,
      rate: video.playbackRate,
      paused: video.paused,
      seeking: video.seeking,
      starved: video.readyState < 3,
      hidden: video.ownerDocument.hidden,
    };
  }

  /**
   * Returns the state of the player for a state of its connection.
   * @param {import('./sources/messages.js').State} connection
   * @param {import('./sources/messages.js').State} before
   */
  state(connection, before) {
    const { readyState, seeking, ended } = this.#video;
    if (connection !== 'live') return connection;
    if (ended) return 'ended';
    // A jump to live by the player does not count as buffering.
    return readyState < 3 && !(seeking && this.own && before === 'live') ? 'buffering' : 'live';
  }

  /** What the element counts. @param {import('./sources/messages.js').Figures} figures of the source, for what the browser does not count */
  figures(figures) {
    const video = this.#video;
    const quality = video.getVideoPlaybackQuality?.();
    const { buffered, currentTime } = video;
    const end = buffered.length ? buffered.end(buffered.length - 1) : currentTime;
    return {
      buffer: Math.max(0, end - currentTime),
      // Firefox has no frame counters for WebRTC.
      dropped: quality?.droppedVideoFrames || figures.dropped || 0,
      decoded: quality?.totalVideoFrames || figures.decoded || 0,
      width: video.videoWidth,
      height: video.videoHeight,
      rate: this.#rate,
    };
  }
}
