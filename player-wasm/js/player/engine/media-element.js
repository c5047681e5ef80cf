// The <video> that a player drives: its source, rate and playhead, and which of its events are the viewer's doing.

import { now } from './clock.js';

/** Drives one `<video>`. */
export class MediaElement {
  #video;
  /** It has something to play. */
  attached = false;
  /** A pause or play is ours, not the viewer's. */
  ours = false;
  /** The last seek was ours. */
  own = true;
  /** Where we sent the playhead last. */
  #sent = NaN;
  #rate = 1;

  /** @param {HTMLVideoElement} video @param {AbortSignal} signal aborts when the player ends */
  constructor(video, signal) {
    this.#video = video;
    // Another seek of ours may be under way already.
    video.addEventListener('seeked', () => { if (!video.seeking) this.#sent = NaN; }, { signal });
  }

  /**
   * Shows a MediaSource, the first one or one that replaces a broken one.
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
        // Only handles and streams here: an older browser's MediaSource goes by an object URL.
        const url = URL.createObjectURL(/** @type {MediaSource} */ (source));
        video.src = url;
        /** @type {MediaSource} */ (source).addEventListener('sourceopen', () => URL.revokeObjectURL(url), { once: true });
      }
      if (this.#rate !== 1) video.playbackRate = this.#rate;
      shown();
    });
  }

  /** Lets go of what it plays. @param {boolean} shown it may show something: that is removed */
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

  /** Does what makes the element fire `pause` without taking it as the viewer's wish. @param {() => void} work */
  #quietly(work) {
    this.ours = true;
    work();
    // The element queues its events as tasks; this runs after them.
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
    // The browser moves it into what can be sought, which on a busy page may end earlier than the pipeline knows.
    this.#sent = this.#video.currentTime;
  }

  /** Notes that a seek begins. Returns whether it is the viewer's. */
  seeking() {
    this.own = Math.abs(this.#video.currentTime - this.#sent) < 0.002;
    return !this.own;
  }

  /** Where the playhead is, for the source. @returns {import('./sources/messages.js').Clock} */
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
   * What a player does while its connection does this.
   * @param {import('./sources/messages.js').State} connection
   * @param {import('./sources/messages.js').State} before
   */
  state(connection, before) {
    const { readyState, seeking, ended } = this.#video;
    if (connection !== 'live') return connection;
    if (ended) return 'ended';
    // A jump of ours to live is no buffering.
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
      // Firefox does not count what comes by WebRTC.
      dropped: quality?.droppedVideoFrames || figures.dropped || 0,
      decoded: quality?.totalVideoFrames || figures.decoded || 0,
      width: video.videoWidth,
      height: video.videoHeight,
      rate: this.#rate,
    };
  }
}
