/** Milliseconds on the clock that pages and workers share. */
export const now = () => performance.timeOrigin + performance.now();
