// A clock that is drawn in video: what a page publishes by WHIP, and reads from the picture that a viewer sees. The
// difference is the latency from glass to glass. All runs in one page, so there is one clock.

/** In the page: connections by WHIP and WHEP, a canvas with the clock, and its reader. */
export function clockTools() {
  /** Number of bits of the time in ms, and the side of their fields in a picture of 1280x720. */
  const BITS = 20, SIDE = 64;
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
  /** Draws the time in ms as black and white fields, on a picture that moves, and plays a tone if there is audio. @param {boolean} audio */
  const drawClock = (audio) => {
    const [width, height] = [1280, 720];
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const stream = canvas.captureStream(30);
    setInterval(() => {
      const now = Math.round(performance.now());
      paint.fillStyle = `hsl(${now / 20 % 360} 60% 50%)`;
      paint.fillRect(0, 0, width, height);
      for (let bit = 0; bit < BITS; bit++) {
        paint.fillStyle = now >> bit & 1 ? '#fff' : '#000';
        paint.fillRect(bit * SIDE, 0, SIDE, SIDE);
      }
    }, 33);
    if (audio) {
      const context = new AudioContext(), tone = context.createOscillator(), out = context.createMediaStreamDestination();
      tone.connect(out);
      tone.start();
      stream.addTrack(out.stream.getAudioTracks()[0]);
    }
    return stream;
  };
  /**
   * Reads the clock from every presented picture, and returns the delays in ms. The clock has this part of the width
   * of the picture, at its upper left. The first 5 s are left out.
   * @param {HTMLVideoElement} video @param {number} ms @param {number} [part]
   */
  const readClock = async (video, ms, part = 1) => {
    const read = new OffscreenCanvas(BITS * SIDE, SIDE);
    const eye = /** @type {OffscreenCanvasRenderingContext2D} */ (read.getContext('2d', { willReadFrequently: true }));
    /** @type {number[]} */
    const delays = [];
    const began = performance.now();
    await new Promise((resolve) => {
      const look = (/** @type {number} */ _, /** @type {VideoFrameCallbackMetadata} */ meta) => {
        if (performance.now() - began > ms) return resolve(undefined);
        video.requestVideoFrameCallback(look);
        if (video.videoWidth < 640) return;
        const side = video.videoWidth * part / BITS;
        eye.drawImage(video, 0, 0, side * BITS, side, 0, 0, BITS * SIDE, SIDE);
        const { data } = eye.getImageData(0, SIDE / 2, BITS * SIDE, 1);
        let then = 0;
        for (let bit = 0; bit < BITS; bit++) if (data[(bit * SIDE + SIDE / 2) * 4] > 127) then |= 1 << bit;
        if (performance.now() - began > 5_000) delays.push(meta.presentationTime - then);
      };
      video.requestVideoFrameCallback(look);
    });
    return delays;
  };
  Object.assign(window, { publish, play, drawClock, readClock });
}

/** Returns the value below which a part of the values is, rounded. @param {number[]} values @param {number} p */
export const part = (values, p) => Math.round(values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))] ?? NaN);
