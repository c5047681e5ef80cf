/** Returns the time in milliseconds, on a clock that pages and workers share. */
export const now = () => performance.timeOrigin + performance.now();
