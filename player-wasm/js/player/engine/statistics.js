import { now } from './clock.js';

/** Returns a function that measures a stream. Rates are averages since its last call. */
export function statistics() {
  let last = { at: 0, bytes: 0, frames: 0 };
  /**
   * @param {import('../../player_wasm.js').Engine} engine
   * @param {string} kind
   * @param {number} bytes received so far
   * @param {number} reconnects
   */
  return (engine, kind, bytes, reconnects) => {
    const { at, ...before } = last, wall = now(), frames = engine.frames();
    const span = (wall - at) / 1000;
    last = { at: wall, bytes, frames };
    return {
      latency: engine.latency(),
      target: engine.target(wall),
      bitrate: at ? Math.round((bytes - before.bytes) * 8 / span) : 0,
      fps: at ? Math.round((frames - before.frames) / span * 10) / 10 : 0,
      protocol: /^(flv|ts)$/.test(kind) ? `http-${kind}` : kind,
      codecs: [engine.codec('video'), engine.codec('audio')].filter(Boolean).join(','),
      reconnects,
      bad: engine.bad(),
      behind: engine.behind(),
    };
  };
}
