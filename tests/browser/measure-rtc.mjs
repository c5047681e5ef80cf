// How long WebRTC takes: node browser/measure-rtc.mjs [publishes]
//
// It prints, for a gateway on loopback and Chromium's fake camera:
//   glass to glass       from a clock painted on a canvas, published by WHIP, to that clock in a WHEP viewer's
//                        picture: 50th and 95th percentile
//   WHIP to FLV          from the POST of an offer to the first picture and the first sound of HTTP-FLV, so many
//                        publishes in a row: 50th and 95th percentile, the worst, and how many within a second

import { startGateway } from './harness.mjs';
import { startBrowser } from './support/browser.mjs';

const publishes = Number(process.argv[2] ?? 100);

/** In the page: connections by WHIP and WHEP, and a reader of FLV. */
function tools() {
  /** @param {RTCPeerConnection} pc @param {string} url */
  const negotiate = async (pc, url) => {
    await pc.setLocalDescription(await pc.createOffer());
    const body = pc.localDescription?.sdp;
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body });
    if (response.status !== 201) throw new Error(await response.text());
    await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    return response.headers.get('location') ?? '';
  };
  /** @param {MediaStream} stream @param {string} url */
  const publish = async (stream, url) => {
    const pc = new RTCPeerConnection();
    for (const track of stream.getTracks()) {
      const transceiver = pc.addTransceiver(track, { direction: 'sendonly' });
      if (track.kind !== 'video') continue;
      const { codecs } = /** @type {RTCRtpCapabilities} */ (RTCRtpSender.getCapabilities('video'));
      transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === 'video/H264'));
    }
    const session = await negotiate(pc, url);
    return { pc, stop: async () => { await fetch(session, { method: 'DELETE' }); pc.close(); } };
  };
  /** @param {string} url */
  const play = async (url) => {
    const pc = new RTCPeerConnection();
    const stream = new MediaStream();
    pc.ontrack = ({ track, receiver }) => { stream.addTrack(track); Object.assign(receiver, { jitterBufferTarget: 0 }); };
    for (const kind of ['video', 'audio']) pc.addTransceiver(kind, { direction: 'recvonly' });
    await negotiate(pc, url);
    return stream;
  };
  /** When the first picture and the first sound of an FLV stream have come. @param {string} url */
  const flv = async (url) => {
    const abort = new AbortController();
    const reader = /** @type {ReadableStream<Uint8Array>} */ ((await fetch(url, { signal: abort.signal })).body).getReader();
    let bytes = new Uint8Array(0), at = 13, picture = 0, sound = 0;
    while (!picture || !sound) {
      const { value, done } = await reader.read();
      if (done) break;
      const joined = new Uint8Array(bytes.length + value.length);
      joined.set(bytes); joined.set(value, bytes.length);
      bytes = joined;
      for (let size; bytes.length >= at + 11 && bytes.length >= at + 15 + (size = bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]); at += 15 + size) {
        // The second byte of classic tags: 0 is a sequence header, 1 is media.
        if (bytes[at + 12] !== 1) continue;
        if (bytes[at] === 9) picture ||= performance.now();
        if (bytes[at] === 8) sound ||= performance.now();
      }
    }
    abort.abort();
    return { picture, sound };
  };
  Object.assign(window, { publish, play, flv });
}

/** @param {number[]} values @param {number} p */
const part = (values, p) => Math.round(values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))] ?? NaN);

const gateway = await startGateway();
const browser = await startBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
try {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(gateway.http);
  await page.evaluate(() => document.body.replaceChildren());
  await page.evaluate(tools);

  const delays = await page.evaluate(async () => {
    const { publish, play } = /** @type {any} */ (window);
    const BITS = 20, [width, height] = [1280, 720];
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const stream = canvas.captureStream(30);
    // The time in ms as black and white fields, on a picture that moves.
    setInterval(() => {
      const now = Math.round(performance.now());
      paint.fillStyle = `hsl(${now / 20 % 360} 60% 50%)`;
      paint.fillRect(0, 0, width, height);
      for (let bit = 0; bit < BITS; bit++) {
        paint.fillStyle = now >> bit & 1 ? '#fff' : '#000';
        paint.fillRect(bit * 64, 0, 64, 64);
      }
    }, 33);
    const { stop } = await publish(stream, '/live/clock/whip');
    const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true });
    document.body.append(video);
    for (;;) {
      try {
        video.srcObject = await play('/live/clock/whep');
        break;
      } catch { await new Promise((resolve) => { setTimeout(resolve, 100); }); }
    }
    const read = new OffscreenCanvas(BITS * 64, 64);
    const eye = /** @type {OffscreenCanvasRenderingContext2D} */ (read.getContext('2d', { willReadFrequently: true }));
    /** @type {number[]} */
    const delays = [];
    const began = performance.now();
    await new Promise((resolve) => {
      const look = (/** @type {number} */ _, /** @type {VideoFrameCallbackMetadata} */ meta) => {
        if (performance.now() - began > 25_000) return resolve(undefined);
        video.requestVideoFrameCallback(look);
        if (video.videoWidth < 640) return;
        const scale = video.videoWidth / width;
        eye.drawImage(video, 0, 0, BITS * 64 * scale, 64 * scale, 0, 0, BITS * 64, 64);
        let then = 0;
        for (let bit = 0; bit < BITS; bit++) if (eye.getImageData(bit * 64 + 32, 32, 1, 1).data[0] > 127) then |= 1 << bit;
        // The first seconds find their way.
        if (performance.now() - began > 5_000) delays.push(meta.presentationTime - then);
      };
      video.requestVideoFrameCallback(look);
    });
    await stop();
    return delays;
  });
  console.log(`WebRTC to WebRTC, glass to glass: p50 ${part(delays, 0.5)} ms, p95 ${part(delays, 0.95)} ms (${delays.length} pictures; target p50 <= 120)`);

  const starts = await page.evaluate(async (publishes) => {
    const { publish, flv } = /** @type {any} */ (window);
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 }, audio: true });
    /** @type {number[]} */
    const starts = [];
    for (let n = 0; n < publishes; n++) {
      const began = performance.now();
      const publishing = publish(stream, `/live/start-${n}/whip`);
      const { picture, sound } = await flv(`/live/start-${n}.flv`);
      starts.push(Math.max(picture, sound) - began);
      await (await publishing).stop();
    }
    return starts;
  }, publishes);
  const within = starts.filter((ms) => ms <= 1000).length;
  console.log(`WHIP to the first picture and sound over HTTP-FLV: p50 ${part(starts, 0.5)} ms, p95 ${part(starts, 0.95)} ms, `
    + `worst ${part(starts, 1)} ms, ${within} of ${publishes} within 1 s`);
} finally {
  await browser.close();
  await gateway.stop();
}
