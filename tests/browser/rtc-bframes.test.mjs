// A stream with B-frames in Chromium over WebRTC: all frames if the gateway encodes the video again, else fewer frames
// in order.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { LIMIT, launch, startGateway, until } from './harness.mjs';

const RATE = 15;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => { browser = await launch(['--mute-audio']); });
after(() => browser?.close());

/**
 * Publishes video with three B-frames in a row and a tone as live/x, until it is stopped.
 * @param {string} to  the gateway's RTMP
 */
function publish(to) {
  const child = spawn('ffmpeg', [
    '-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${RATE}`, '-f', 'lavfi', '-i', 'sine=frequency=440',
    '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', `${RATE * 4}`, '-sc_threshold', '0', '-pix_fmt', 'yuv420p',
    '-c:a', 'aac', '-f', 'flv', `${to}/live/x`,
  ], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/**
 * Plays live/x with a WHEP client of a few lines.
 * @param {string} http  the gateway
 */
async function play(http) {
  const page = await browser.newPage({ bypassCSP: true });
  await page.goto(`${http}/healthz`);
  await page.evaluate(async () => {
    const peer = new RTCPeerConnection();
    peer.addTransceiver('video', { direction: 'recvonly' });
    peer.addTransceiver('audio', { direction: 'recvonly' });
    const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true, srcObject: new MediaStream() });
    document.body.append(video);
    peer.ontrack = ({ track }) => video.srcObject.addTrack(track);
    const times = [];
    // The publisher's clock. `mediaTime` is when Chromium meant to show a frame: in the first second it is estimated
    // anew with each frame that arrives, and may step back.
    const seen = (_, { rtpTimestamp }) => {
      times.push(rtpTimestamp);
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    await peer.setLocalDescription();
    const { sdp } = peer.localDescription;
    const answer = await fetch('/live/x/whep', { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: sdp });
    if (answer.status !== 201) throw new Error(await answer.text());
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    Object.assign(window, { peer, video, times });
  });
  return {
    page,
    look: () => page.evaluate(async () => {
      const { peer, times, video } = window;
      const inbound = [...(await peer.getStats()).values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
      return {
        state: peer.connectionState, width: video.videoWidth, times,
        decoded: inbound?.framesDecoded ?? 0, keys: inbound?.pliCount ?? 0,
      };
    }),
  };
}

/** The steps of the publisher's clock from one frame shown to the next. RTP timestamps are 32 bits wide and wrap around. */
const stepsOf = (/** @type {number[]} */ times) => times.slice(1).map((time, index) => (time - times[index]) | 0);

/** How far the publisher's clock goes on from one frame to the next; RTMP's is in milliseconds. */
const FRAME = 90_000 / RATE;
const ROUNDING = 90;

const isFrame = (/** @type {number} */ step) => Math.abs(step - FRAME) <= ROUNDING;

/** The most frames in a row none of which was left out. @param {number[]} steps */
function longest(steps) {
  let [most, now] = [0, 0];
  for (const step of steps) most = Math.max(most, now = isFrame(step) ? now + 1 : 0);
  return most;
}

test('with ffmpeg, every frame is shown', LIMIT, async () => {
  const gateway = await startGateway();
  const unpublish = publish(gateway.rtmp);
  try {
    await until('B-frames in the API', async () => {
      const { streams } = await (await fetch(`${gateway.http}/api/v1/streams`)).json();
      return streams.find(({ name, video }) => name === 'x' && video?.reordered);
    });
    let player = await play(gateway.http);
    // If the machine was too slow for a while, the gateway does not encode again for these viewers.
    const refusals = () => gateway.log().split('too slow to encode').length;
    let refused = refusals();
    // A busy machine skips some. Without B-frames there is never a row of eight.
    await until('half a second with all its pictures', async () => {
      if (refusals() !== refused) {
        refused = refusals();
        await player.page.close();
        player = await play(gateway.http);
      }
      return longest(stepsOf((await player.look()).times)) >= RATE / 2;
    }, async () => stepsOf((await player.look()).times).join());
    const { state, width, times } = await player.look();
    assert.deepEqual([state, width], ['connected', 320]);
    assert.ok(stepsOf(times).every((step) => step > 0), `RTP timestamps of the frames shown: ${times}`);
  } finally {
    await unpublish();
    await gateway.stop();
  }
});

test('without ffmpeg, fewer frames are shown in order, and the session continues', LIMIT, async () => {
  const gateway = await startGateway(['--transcode', 'off']);
  const unpublish = publish(gateway.rtmp);
  try {
    const player = await play(gateway.http);
    // A decoder with errors would request key frames again and again.
    let [keys, since] = [-1, 0];
    await until('forty frames decoded with no key frame asked for', async () => {
      const now = await player.look();
      if (now.keys !== keys) [keys, since] = [now.keys, now.decoded];
      return now.decoded >= since + 40 && now.times.length > 40;
    }, async () => ({ ...await player.look(), times: 0 }));
    const { state, times } = await player.look();
    assert.equal(state, 'connected');
    const steps = stepsOf(times);
    assert.ok(steps.every((step) => step > 0), `RTP timestamps of the frames shown: ${times}`);
    // The B-frames between the shown frames were dropped.
    const neighbours = steps.filter(isFrame).length;
    assert.ok(neighbours < steps.length / 4, `${neighbours} of ${steps.length} were shown right after the one before`);
  } finally {
    await unpublish();
    await gateway.stop();
  }
});
