// Keeps the screen on while the publisher is live: a sleeping phone stops its camera.

export class Waker {
  /** @type {WakeLockSentinel | null} */
  #lock = null;
  #wanted = false;

  hold() {
    if (this.#wanted) return;
    this.#wanted = true;
    document.addEventListener('visibilitychange', this.#ask);
    void this.#ask();
  }

  release() {
    this.#wanted = false;
    document.removeEventListener('visibilitychange', this.#ask);
    this.#lock?.release().catch(() => {});
    this.#lock = null;
  }

  // A browser releases the lock each time the page is hidden.
  #ask = async () => {
    if (document.hidden) return;
    const lock = await navigator.wakeLock?.request('screen').catch(() => null);
    if (this.#wanted) this.#lock = lock ?? null;
    else await lock?.release();
  };
}
