// The clock of the mix.

/**
 * Calls `tick` so many times a second, without drift. Ticks that are too late are left out. Returns a function that
 * ends it.
 * @param {number} rate
 * @param {(late: number) => void} tick late: how many ticks were left out before
 */
export function startClock(rate, tick) {
  const period = 1000 / rate;
  let next = performance.now();
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const run = () => {
    const now = performance.now();
    const late = Math.max(0, Math.floor((now - next) / period));
    next += (late + 1) * period;
    timer = setTimeout(run, Math.max(0, next - now));
    tick(late);
  };
  run();
  return () => clearTimeout(timer);
}
