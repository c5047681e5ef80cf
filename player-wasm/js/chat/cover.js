// One picture of a live stream, for the card of a room: a short session over WHEP.

import { negotiate } from '../net/whep.js';

/** Milliseconds that a picture may take. */
const PATIENCE = 15_000;
/** Sessions at once. */
const MAX_SESSIONS = 6;

let sessions = 0;
/** Those who wait for a session. @type {(() => void)[]} */
const waiting = [];

/**
 * Draws a frame of a stream. Returns whether there was one.
 * @param {string} server origin of the gateway
 * @param {string} stream complete name
 * @param {HTMLCanvasElement} canvas
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
export async function draw(server, stream, canvas, signal) {
  if (sessions >= MAX_SESSIONS) {
    // A session that ends hands its place on.
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
        // Either tells that there is a frame. A busy browser may call back late for a video that is on no page.
        video.requestVideoFrameCallback?.(resolve);
        video.onloadeddata = resolve;
      };
    });
    // It may be rejected before anybody waits for it.
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

/** Fills the canvas with the middle of the picture. @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas */
function paint(video, canvas) {
  const { videoWidth, videoHeight } = video;
  const { width, height } = canvas;
  const scale = Math.max(width / videoWidth, height / videoHeight);
  const [across, down] = [videoWidth * scale, videoHeight * scale];
  canvas.getContext('2d')?.drawImage(video, (width - across) / 2, (height - down) / 2, across, down);
}
