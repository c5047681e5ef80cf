// An AudioWorklet that posts its input samples, 20 ms at a time.

const FRAMES = 960;
const scope = /** @type {any} */ (globalThis);

scope.registerProcessor('lianmai-tap', class extends scope.AudioWorkletProcessor {
  #samples = new Float32Array(2 * FRAMES);
  #filled = 0;

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    const [left, right = left] = input ?? [];
    // Send silence for an input without a connection, so that the clock of the audio continues.
    const length = left?.length ?? 128;
    for (let at = 0; at < length; at++) {
      this.#samples[this.#filled] = left ? left[at] : 0;
      this.#samples[FRAMES + this.#filled] = right ? right[at] : 0;
      if (++this.#filled < FRAMES) continue;
      this.port.postMessage(this.#samples, [this.#samples.buffer]);
      this.#samples = new Float32Array(2 * FRAMES);
      this.#filled = 0;
    }
    return true;
  }
});
