// Draws a cover frame of a live stream for the card of a room, with a short WHEP session.

import { negotiate } from '../net/whep.js';

/** Milliseconds after which the session for a cover frame is ended. */
const PATIENCE = 15_000;
/** Maximum number of sessions at the same time. */
const MAX_SESSIONS = 6;

let sessions = 0;
/** Callers that wait for a session. @type {(() => void)[]} */
const waiting = [];

/**
 * Draws a frame of a stream. Resolves to whether a frame arrived.
 * @param {string} server origin of the gateway
 * @param {string} stream the name with its application
 * @param {HTMLCanvasElement} canvas
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
export async function draw(server, stream, canvas, signal) {
  if (sessions >= MAX_SESSIONS) {
    // The next caller gets the place of the session that ended.
    await new Promise((resolve) => { waiting.push(() => resolve(undefined)); });
  } else sessions++;
  try {
    return !signal.aborted && await grab(server, stream, canvas, signal);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else sessions--;
  }
}

/** @type {typeof draw} */
async function grab(server, stream, canvas, signal) {
  const peer = new RTCPeerConnection();
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true });
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), PATIENCE);
  const stop = () => limit.abort();
  signal.addEventListener('abort', stop, { once: true });
  /** @type {import('../net/signalling.js').Signalling | undefined} */
  let session;
  try {
    const seen = new Promise((resolve, reject) => {
      limit.signal.addEventListener('abort', () => reject(new Error('no picture')), { once: true });
      peer.ontrack = ({ track }) => {
        video.srcObject = new MediaStream([track]);
        video.play().catch(() => {});
        // Either event means that a frame has arrived. A busy browser may call back late for a video outside the page.
        video.requestVideoFrameCallback?.(resolve);
        video.onloadeddata = resolve;
      };
    });
    // The promise may be rejected before another function awaits it.
    seen.catch(() => {});
    peer.addTransceiver('video', { direction: 'recvonly' });
    const path = stream.split('/').map(encodeURIComponent).join('/');
    await negotiate(peer, { url: `${server}/${path}/whep`, streamurl: '' }, (one) => { session = one; }, limit.signal);
    await seen;
    paint(video, canvas);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    video.srcObject = null;
    if (session) void session.end(peer);
    else peer.close();
  }
}

/** Fills the canvas with the middle of the frame. @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas */
function paint(video, canvas) {
  const { videoWidth, videoHeight } = video;
  const { width, height } = canvas;
  const scale = Math.max(width / videoWidth, height / videoHeight);
  const [across, down] = [videoWidth * scale, videoHeight * scale];
  canvas.getContext('2d')?.drawImage(video, (width - across) / 2, (height - down) / 2, across, down);
}
