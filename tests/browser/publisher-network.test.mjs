// <srs-publisher> on bad networks: a broken route, a slow network, and a firewall.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import { openPage, until } from './harness.mjs';
import { browser, gateway, known, onAir, open, watch } from './support/publisher.mjs';

/** Relays that a failed test has left open. */
const relays = new Set();
after(() => {
  for (const relayed of relays) relayed.close();
});

/** Passes UDP on to a port of this machine, until it is closed. @param {number} to @returns {Promise<{ port: number, close: () => void }>} */
async function relay(to) {
  const front = createSocket('udp4');
  // Each of a browser's sockets gets one of its own.
  const backs = new Map();
  front.on('message', (data, from) => {
    let back = backs.get(from.port);
    if (!back) {
      back = createSocket('udp4');
      back.on('message', (answer) => front.send(answer, from.port, from.address));
      backs.set(from.port, back);
    }
    back.send(data, to, '127.0.0.1');
  });
  await new Promise((resolve) => { front.bind(0, '127.0.0.1', resolve); });
  const relayed = {
    port: front.address().port,
    close: () => {
      relays.delete(relayed);
      for (const socket of [front, ...backs.values()]) socket.close();
    },
  };
  relays.add(relayed);
  return relayed;
}

test('an ICE restart replaces a broken route: the same session continues', async () => {
  const { page, read, state, start, close } = await open('moved');
  const way = await relay(Number(gateway.webrtc.split(':').at(-1)));
  const calls = [];
  page.on('request', (request) => { if (/^(POST|PATCH|DELETE)$/.test(request.method())) calls.push(request.method()); });
  await page.evaluate((port) => {
    // The first answer has only the candidate of the relay.
    const real = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function detour({ type, sdp }) {
      RTCPeerConnection.prototype.setRemoteDescription = real;
      return real.call(this, { type, sdp: sdp.replace(/^a=candidate:.* tcp .*\r\n/gm, '').replace(/^(a=candidate:.* udp .* )\d+( typ host)/gm, `$1${port}$2`) });
    };
  }, way.port);
  await start();
  await state('live');
  const { publish: { cid } } = await onAir('moved');
  way.close();
  await until('figures of the new route', () => read((p) => p.state === 'live' && p.stats?.reconnects === 1 && p.stats.bitrate > 20_000));
  assert.deepEqual(calls, ['POST', 'PATCH']);
  const viewer = await watch(`${gateway.http}/live/moved.flv`);
  await viewer.moves();
  assert.equal((await known('moved')).publish.cid, cid);
  await viewer.close();
  await close();
});

test('a slow network reduces frames and bit rate, but does not end the stream', async () => {
  const { hostname, port } = new URL(gateway.http);
  let rate = Infinity;
  const server = createServer((client) => {
    const up = connect(Number(port), hostname);
    up.pipe(client);
    client.on('data', (data) => {
      up.write(data);
      if (rate === Infinity) return;
      client.pause();
      setTimeout(() => client.resume(), data.length * 1000 / rate);
    });
    for (const [one, other] of [[client, up], [up, client]]) one.on('error', () => {}).on('close', () => other.destroy());
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { read, state, start, close } = await open('narrow');
  try {
    await read((p, at) => {
      // Noise, which encoders cannot compress.
      const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
      const context = canvas.getContext('2d');
      const image = context.createImageData(640, 360);
      setInterval(() => {
        const words = new Uint32Array(image.data.buffer);
        for (let n = 0; n < words.length; n++) words[n] = Math.random() * 0xffffff | 0xff000000;
        context.putImageData(image, 0, 0);
      }, 33);
      navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30);
      // The bit rate that the encoder is configured for.
      window.rates = [];
      const { configure } = VideoEncoder.prototype;
      VideoEncoder.prototype.configure = function noted(config) {
        window.rates.push(config.bitrate);
        return configure.call(this, config);
      };
      p.url = `webrtc://127.0.0.1:${at}/live/narrow`;
      p.protocol = 'ws-flv';
    }, server.address().port);
    await start();
    await state('live');
    await onAir('narrow');
    await until('more than will get through', () => read((p) => p.stats?.bitrate > 400_000));
    const full = await read(() => window.rates.at(-1));
    rate = 40_000;
    await until('pictures left out', () => read((p) => p.stats?.limitation === 'bandwidth' && p.stats.loss > 0));
    rate = Infinity;
    await until('all pictures again', () => read((p) => p.stats?.limitation === 'none' && p.stats.fps > 10));
    const rates = await read(() => window.rates);
    assert.ok(Math.min(...rates) < full * 0.9, `the encoder was asked for ${rates}`);
    assert.equal(await read((p) => p.stats.reconnects), 0);
    const viewer = await openPage(browser);
    await viewer.page.goto(`${gateway.http}/players/srs_player.html?autoplay&muted&url=${encodeURIComponent(`${gateway.http}/live/narrow.flv`)}`);
    await until('the picture to move', () => viewer.page.evaluate(() => document.querySelector('srs-player').currentTime > 1));
    await viewer.close();
  } finally {
    await close();
    server.close();
  }
});

test('if WebRTC is blocked, the same button publishes over a WebSocket', async () => {
  const { page, read, state, start, close } = await open('blocked');
  await page.evaluate(() => {
    // Simulate a firewall: no candidate of the server is reachable.
    const real = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function blocked({ type, sdp }) {
      return real.call(this, { type, sdp: sdp.replace(/^a=candidate:.*\r\n/gm, '') });
    };
    window.warnings = [];
    document.querySelector('srs-publisher').addEventListener('warning', ({ detail }) => window.warnings.push(detail.code));
  });
  await start();
  await state('live');
  await onAir('blocked');
  await until('figures', () => read((p) => p.stats?.protocol === 'ws-flv'));
  assert.deepEqual(await page.evaluate(() => window.warnings), ['fallback']);
  await close();
});

for (const [name, set] of /** @type {[string, (p: any) => void][]} */ ([
  ['protocol="webrtc"', (p) => { p.protocol = 'webrtc'; }],
  ['a site that passes offers on', (p) => { p.url = '/wp-json/lianmai/v1/whip'; }],
])) {
  test(`${name}: without WebRTC, no WebSocket is tried`, async () => {
    const { page, read, state, start, close } = await open('alone');
    await page.evaluate((source) => {
      delete window.RTCPeerConnection;
      new Function('publisher', `(${source})(publisher)`)(document.querySelector('srs-publisher'));
    }, String(set));
    await start();
    await state('error');
    assert.equal(await read((p) => p.error.code), 'no-webrtc');
    assert.equal(await page.evaluate(() => window.opened.WebSocket), 0);
    await close();
  });
}
