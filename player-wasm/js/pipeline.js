// Network → wasm → MediaSource, in a Worker or on the main thread.

/** Runs one stream; talks to the player by messages. */
export class Pipeline {
  #report;

  /** @param {(message: any, transfer?: Transferable[]) => void} report */
  constructor(report) {
    this.#report = report;
  }

  /** @param {any} message */
  receive(message) {
    void message;
    void this.#report;
  }

  close() {}
}
