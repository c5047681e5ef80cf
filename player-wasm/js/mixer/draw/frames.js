// The frames of the mix: takes those of the inputs, and makes those that are published.

/** @typedef {import('./scene.js').Scene} Scene */

/** Frames that may wait for the encoder. A frame beyond them is left out. */
const MAX_WAITING = 2;

/** Reads the frames of the inputs into a scene, one reader for each. */
export class FrameInputs {
  #scene;
  /** Frames so far. */
  #count = 0;
  /** @type {Map<string, ReadableStreamDefaultReader<VideoFrame>>} */
  #readers = new Map();

  /** @param {Scene} scene */
  constructor(scene) {
    this.#scene = scene;
  }

  /** Shows the frames of a track from now on; without one the last frame stays. @param {string} id @param {ReadableStream<VideoFrame>} [readable] */
  use(id, readable) {
    this.#readers.get(id)?.cancel().catch(() => {});
    this.#readers.delete(id);
    if (!readable) return;
    const reader = readable.getReader();
    this.#readers.set(id, reader);
    void this.#read(id, reader);
  }

  close() {
    for (const id of [...this.#readers.keys()]) this.use(id);
  }

  /** @param {string} id @param {ReadableStreamDefaultReader<VideoFrame>} reader */
  async #read(id, reader) {
    for (;;) {
      const { done, value: image } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done || !image) return;
      if (this.#readers.get(id) !== reader) return image.close();
      const { displayWidth: width, displayHeight: height } = image;
      this.#scene.show(id, { image, width, height, version: ++this.#count });
    }
  }
}

/** Writes the frames of a scene. */
export class FrameOutput {
  /** Frames that were left out, because the encoder was behind. */
  skipped = 0;
  #scene; #writer;
  /** @type {VideoFrame | null} */
  #last = null;

  /** @param {Scene} scene @param {WritableStream<VideoFrame>} writable */
  constructor(scene, writable) {
    this.#scene = scene;
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#waiting = 0;
  }

  #waiting;

  /** Writes the frame of this moment. */
  write() {
    const now = performance.now();
    if (this.#waiting >= MAX_WAITING) return void this.skipped++;
    const timestamp = Math.round(now * 1000);
    // Encoders want a frame at each tick; one that shows the same needs no new picture.
    if (this.#scene.draw(now) || !this.#last) {
      this.#last?.close();
      this.#last = new VideoFrame(this.#scene.canvas, { timestamp });
    }
    this.#waiting++;
    const settled = () => { this.#waiting--; };
    return void this.#writer.write(new VideoFrame(this.#last, { timestamp })).then(settled, settled);
  }

  close() {
    this.#last?.close();
    this.#last = null;
    this.#writer.close().catch(() => {});
  }
}
