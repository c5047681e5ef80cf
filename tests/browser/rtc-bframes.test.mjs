// A stream with B-frames in Chromium by WebRTC: every picture where the gateway encodes them anew, fewer and in
// order where it does not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { launch, startGateway, until } from './harness.mjs';

const LIMIT = { timeout: 120_000 };
const RATE = 30;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => { browser = await launch(['--mute-audio']); });
after(() => browser?.close());

/**
 * Publishes pictures with three B-frames in a row and a tone as live/x, until it is stopped.
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
    const seen = (_, { rtpTimestamp, presentedFrames }) => {
      times.push(rtpTimestamp);
      Object.assign(window, { presented: presentedFrames });
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    await peer.setLocalDescription();
    const { sdp } = peer.localDescription;
    const answer = await fetch('/live/x/whep', { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: sdp });
    if (answer.status !== 201) throw new Error(await answer.text());
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    Object.assign(window, { peer, video, times, presented: 0 });
  });
  return {
    page,
    look: () => page.evaluate(async () => {
      const { peer, times, presented, video } = window;
      const inbound = [...(await peer.getStats()).values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
      return {
        state: peer.connectionState, at: performance.now(), presented, width: video.videoWidth, times,
        decoded: inbound?.framesDecoded ?? 0, keys: inbound?.pliCount ?? 0,
      };
    }),
  };
}

/** Pictures decoded and shown a second, over some seconds. */
async function rates({ look }, seconds) {
  const first = await look();
  await new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
  const last = await look();
  const per = (key) => (last[key] - first[key]) * 1000 / (last.at - first.at);
  return { shown: per('presented'), decoded: per('decoded'), last };
}

test('with ffmpeg every picture is shown', LIMIT, async () => {
  const gateway = await startGateway();
  const unpublish = publish(gateway.rtmp);
  try {
    await until('B-frames in the API', async () => {
      const { streams } = await (await fetch(`${gateway.http}/api/v1/streams`)).json();
      return streams.find(({ name, video }) => name === 'x' && video?.reordered);
    });
    const player = await play(gateway.http);
    await until('a picture', async () => (await player.look()).width === 320);
    // Other things run on this machine: the best of a few windows of five seconds.
    let best = 0;
    for (let turn = 0; turn < 5 && best < 27; turn++) best = Math.max(best, (await rates(player, 5)).shown);
    assert.ok(best >= 25 && best < 35, `${best} pictures a second shown`);
    assert.equal((await player.look()).state, 'connected');
  } finally {
    await unpublish();
    await gateway.stop();
  }
});

test('without it fewer are, in order, and nothing ends', LIMIT, async () => {
  const gateway = await startGateway(['--transcode', 'off']);
  const unpublish = publish(gateway.rtmp);
  try {
    const player = await play(gateway.http);
    await until('pictures', async () => (await player.look()).decoded > 20);
    const { decoded, last } = await rates(player, 5);
    // One in three or four of thirty.
    assert.ok(decoded > 4 && decoded < 20, `${decoded} pictures a second decoded`);
    assert.equal(last.state, 'connected');
    assert.ok(last.keys <= 2, `${last.keys} key frames asked for: the decoder does not get along`);
    const { times } = last;
    // RTP timestamps are 32 bits wide and wrap around.
    const steps = times.slice(1).map((time, index) => (time - times[index]) | 0);
    assert.ok(steps.length > 20 && steps.every((step) => step > 0), `RTP timestamps of the frames shown: ${times}`);
  } finally {
    await unpublish();
    await gateway.stop();
  }
});
