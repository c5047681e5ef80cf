// <srs-publisher>, its page and SrsPublisher: Chromium with its fake camera and microphone, and a real gateway.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { axe, endings, launch, openPage, startGateway, until } from './harness.mjs';
import { promisedMembers } from './support/types.mjs';

// The second fake camera gives depth, not colour.
const CAPTURE = ['--use-fake-device-for-media-stream=device-count=3,fps=30', '--use-fake-ui-for-media-stream'];
const run = promisify(execFile);
const PAGE = '/players/rtc_publisher.html';
let browser;
let gateway;
before(async () => {
  gateway = await startGateway(['--reconnect', '3']);
  browser = await launch(CAPTURE);
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
  for (const relayed of relays) relayed.close();
});
/** Pages that a failed test has left open. */
const relays = new Set();

/** Counts the devices, peer connections and sockets that a page opens. */
const spy = () => {
  const counts = { getUserMedia: 0, getDisplayMedia: 0, enumerateDevices: 0, RTCPeerConnection: 0, WebSocket: 0, AudioContext: 0 };
  const media = navigator.mediaDevices;
  for (const name of ['getUserMedia', 'getDisplayMedia', 'enumerateDevices']) {
    const real = media[name].bind(media);
    media[name] = (...args) => {
      counts[name]++;
      return real(...args);
    };
  }
  for (const name of ['RTCPeerConnection', 'WebSocket', 'AudioContext']) {
    window[name] = new Proxy(window[name], {
      construct(target, args) {
        counts[name]++;
        return Reflect.construct(target, args);
      },
    });
  }
  window.opened = counts;
};

/** Opens the publisher's page for a stream. */
async function open(name, { host = gateway, at = browser, path = PAGE, ...options } = {}) {
  const opened = await openPage(at, options);
  const { page } = opened;
  await page.addInitScript(spy);
  await page.goto(`${host.http}${path}?stream=${name}`);
  await page.waitForFunction(() => customElements.get('srs-publisher'));
  return { ...opened, ...look(page), start: () => page.getByRole('button', { name: /^Go live|开始直播$/ }).click() };
}

/** Functions that read the state of the page's publisher. @param {import('playwright-core').Page} page */
function look(page) {
  const read = (work, argument) => page.evaluate(
    ([source, value]) => new Function('publisher', 'value', `return (${source})(publisher, value)`)(document.querySelector('srs-publisher'), value),
    [String(work), argument],
  );
  const state = (name) => until(`state ${name}`, async () => {
    const now = await read((p) => [p.state, p.error?.message ?? p.reason]);
    if (now[0] === 'error' && name !== 'error') throw new Error(now[1]);
    return now[0] === name;
  });
  return { read, state };
}

/** Opens a page with this HTML on the gateway's origin. @param {string} html */
async function embed(html) {
  const opened = await openPage(browser);
  const asked = [];
  opened.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await opened.page.route('**/own.html', (route) => route.fulfill({
    contentType: 'text/html', body: `<!doctype html><title>own</title><link rel="icon" href="data:,">${html}<script src="/srs-player.js"></script>`,
  }));
  await opened.page.goto(`${gateway.http}/own.html`);
  return { ...opened, asked };
}

const streams = async (host = gateway) => (await (await fetch(`${host.http}/api/v1/streams?count=100`)).json()).streams;
/** Returns the gateway's state of a stream. */
const known = async (name, host) => (await streams(host)).find((stream) => stream.name === name);
const onAir = (name, check = () => true) => until(`${name} on air`, async () => {
  const stream = await known(name);
  return stream?.publish.active && stream.video && check(stream) ? stream : null;
});

/**
 * Checks that the name is free because the publisher has closed it, not because of the timeout of half a minute.
 * @param {string} name
 * @param {number} [sessions] number of WebRTC sessions, which must all be closed by the publisher
 */
async function freed(name, sessions = 1) {
  await until(`${name} to be free`, async () => !(await known(name))?.publish.active);
  const ended = () => endings(gateway, `live/${name}`);
  await until(`the end of ${sessions} sessions`, () => ended().length >= sessions, ended);
  if (sessions) assert.deepEqual(ended(), Array(sessions).fill('the client left'));
}

/** Plays a stream in its own page, as a viewer would. */
async function watch(address) {
  const opened = await openPage(browser);
  await opened.page.goto(`${gateway.http}/players/srs_player.html?autoplay&muted&url=${encodeURIComponent(address)}`);
  await opened.page.waitForFunction(() => customElements.get('srs-player'));
  const read = () => opened.page.evaluate(() => {
    const { currentTime, videoWidth, videoHeight, video, stats } = document.querySelector('srs-player');
    return { currentTime, videoWidth, videoHeight, frames: video.getVideoPlaybackQuality().totalVideoFrames, sound: video.webkitAudioDecodedByteCount ?? 0, codecs: stats?.codecs };
  });
  /** Checks that video and audio arrive from now on. */
  const moves = async () => {
    const first = await read();
    return until('picture and sound', async () => {
      const now = await read();
      return now.currentTime > first.currentTime + 0.5 && now.frames > first.frames + 5 && now.sound > first.sound ? now : null;
    });
  };
  return { ...opened, read, moves };
}

test('no device is opened and no permission asked before the button is pressed', async () => {
  const { page, errors, hosts, read, close } = await open('untouched');
  await page.getByRole('button', { name: 'Go live' }).waitFor();
  await page.getByText('Camera and microphone are opened when you press the button.').waitFor();
  // Opening the settings panel is no exception.
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('group', { name: 'Settings' }).waitFor();
  assert.equal(await page.getByLabel('Camera', { exact: true }).inputValue(), '');
  await page.keyboard.press('Escape');
  await page.getByRole('group', { name: 'Settings' }).waitFor({ state: 'hidden' });
  assert.deepEqual(await page.evaluate(() => window.opened),
    { getUserMedia: 0, getDisplayMedia: 0, enumerateDevices: 0, RTCPeerConnection: 0, WebSocket: 0, AudioContext: 0 });
  assert.equal(await read((p) => p.state), 'idle');
  assert.equal(await known('untouched'), undefined);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(errors, []);
  assert.deepEqual(hosts, [new URL(gateway.http).host]);
  await close();
});

for (const protocol of ['webrtc', 'ws-flv']) {
  test(`${protocol}: the button makes the stream live, with video and audio; Stop frees its name`, async () => {
    const name = `live-${protocol}`;
    const { page, errors, read, state, start, close } = await open(name);
    await page.selectOption('#protocol', protocol);
    await start();
    await state('live');
    const { video, audio } = await onAir(name, (stream) => stream.audio);
    assert.deepEqual([video.codec, video.width > 0, audio.codec], ['H264', true, 'Opus']);
    const viewer = await watch(`${gateway.http}/live/${name}.flv`);
    await viewer.moves();
    await until('H.264 and a sound', async () => /avc1.*(opus|mp4a)/.test((await viewer.read()).codecs));
    // Other viewers get the audio as AAC.
    const probe = await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', `${gateway.http}/live/${name}.flv`]);
    assert.deepEqual(probe.stdout.trim().split('\n').sort(), ['aac', 'h264']);
    await until('figures', () => read((p) => p.stats?.fps > 5 && p.stats.bitrate > 20_000));
    assert.deepEqual(await read(({ stats }) => [stats.protocol, stats.width > 0, /264|avc1/i.test(stats.codecs), stats.reconnects]), [protocol, true, true, 0]);
    // The fake microphone beeps.
    await until('the level', () => read((p) => p.level > 0.1));
    assert.equal(await read((p) => p.mirrored && p.getAttribute('state')), 'live');
    // The button that replaced the other button has the focus.
    await page.keyboard.press('s');
    await page.getByRole('group', { name: 'Statistics' }).waitFor();
    assert.deepEqual(await axe(page), []);
    await page.getByRole('button', { name: 'Stop' }).click();
    await state('ended');
    await freed(name, protocol === 'webrtc' ? 1 : 0);
    assert.equal(await read((p) => p.stream), null);
    assert.equal(await read((p) => p.video.srcObject), null);
    assert.deepEqual(errors, []);
    await viewer.close();
    await close();
  });

  test(`${protocol}: mute, another camera, the screen, another size, without an interruption`, async () => {
    const name = `changes-${protocol}`;
    const { page, errors, read, state, start, close } = await open(name);
    await page.selectOption('#protocol', protocol);
    await start();
    await state('live');
    const { publish: { cid } } = await onAir(name);
    await until('the level', () => read((p) => p.level > 0.1));
    await page.getByRole('button', { name: 'Mute the microphone' }).click();
    await until('silence', () => read((p) => p.level === 0));
    assert.deepEqual(await read((p) => [p.muted, p.hasAttribute('muted')]), [true, true]);
    await page.keyboard.press('m');
    await until('the level again', () => read((p) => p.level > 0.1));

    await page.getByRole('button', { name: 'Settings' }).click();
    const camera = page.getByLabel('Camera', { exact: true });
    const before = await until('the devices', () => camera.inputValue());
    await camera.selectOption('fake_device_2');
    await until('the other camera', () => read((p, old) => p.devices.camera && p.devices.camera !== old, before));
    await page.getByLabel('Source', { exact: true }).last().selectOption('screen');
    await until('the screen', () => read((p) => p.stream.getVideoTracks()[0]?.label.startsWith('screen')));
    assert.equal(await read((p) => p.mirrored), false);
    await page.getByLabel('Source', { exact: true }).last().selectOption('camera');
    await until('the camera', () => read((p) => p.mirrored && p.devices.camera !== ''));
    await page.getByLabel('Resolution').selectOption('640×360');
    await onAir(name, ({ video }) => video.width === 640 && video.height === 360);
    await page.getByLabel('Bit rate').selectOption('500');
    assert.equal(await read((p) => p.bitrate), 500);
    const viewer = await watch(`${gateway.http}/live/${name}.flv`);
    await viewer.moves();
    const { publish } = await known(name);
    assert.equal(publish.cid, cid, 'one connection all the time');
    assert.equal(await read((p) => p.stats.reconnects), 0);
    assert.deepEqual(errors, []);
    await viewer.close();
    await close();
    await freed(name, protocol === 'webrtc' ? 1 : 0);
  });

  test(`${protocol}: a busy name is reported, and is free again when its publisher stops`, async () => {
    const name = `busy-${protocol}`;
    const first = await open(name);
    await first.page.selectOption('#protocol', protocol);
    await first.start();
    await first.state('live');
    await onAir(name);
    const second = await open(name);
    await second.page.selectOption('#protocol', protocol);
    await second.start();
    await second.state('error');
    assert.deepEqual(await second.read((p) => p.error), {
      code: 'busy', message: 'Somebody is already live under this name. Take another name, or wait until they stop.',
    });
    assert.equal(await second.read((p) => p.stream), null);
    await second.page.getByRole('alert').getByText('already live').waitFor();
    assert.deepEqual(await axe(second.page), []);
    await first.read((p) => p.stop());
    await second.page.getByRole('button', { name: 'Try again' }).click();
    await second.state('live');
    await first.close();
    await second.close();
  });

  test(`${protocol}: a wrong secret is reported, and the user can enter the right one`, async () => {
    const guarded = await startGateway(['--public', '--secret', 'sesame']);
    // The gateway listens on all addresses. Pages of this machine may use the camera.
    guarded.http = guarded.http.replace('0.0.0.0', '127.0.0.1');
    try {
      const { page, read, state, start, close } = await open('guarded', { host: guarded });
      await page.selectOption('#protocol', protocol);
      await read((p) => {
        window.refusals = [];
        p.addEventListener('error', ({ detail }) => window.refusals.push(detail.code));
      });
      const refused = (times) => until(`${times} refusals`, async () => {
        const all = await page.evaluate(() => window.refusals);
        return all.length === times && all.every((code) => code === 'forbidden');
      });
      await start();
      await refused(1);
      const field = page.getByLabel('Secret');
      await field.fill('wrong');
      await field.press('Enter');
      await refused(2);
      assert.deepEqual(await axe(page), []);
      await field.fill('sesame');
      await field.press('Enter');
      await state('live');
      await until('the stream', async () => (await known('guarded', guarded))?.publish.active);
      assert.ok(!(await page.content()).includes('sesame'), 'the secret is not written into the page');
      await close();
    } finally {
      await guarded.stop();
    }
  });

  test(`${protocol}: comes back after the gateway's restart`, async () => {
    const flags = ['--reconnect', '3'];
    const first = await startGateway(flags);
    const { page, read, state, start, close } = await open('again', { host: first });
    await page.selectOption('#protocol', protocol);
    await start();
    await state('live');
    await until('the stream', async () => (await known('again', first))?.publish.active);
    await first.stop();
    await state('reconnecting');
    const second = await startGateway(flags, first.addresses);
    try {
      await state('live');
      await until('the stream again', async () => (await known('again', second))?.publish.active);
      await until('figures', () => read((p) => p.stats?.reconnects > 0));
      await close();
    } finally {
      await second.stop();
    }
  });
}

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

test('a browser without track processors encodes the frames of its preview', async () => {
  const { page, read, state, start, close } = await open('shown');
  await page.evaluate(() => { delete window.MediaStreamTrackProcessor; });
  await page.selectOption('#protocol', 'ws-flv');
  await start();
  await state('live');
  await onAir('shown', (stream) => stream.audio);
  await until('figures', () => read((p) => p.stats?.fps > 10));
  const viewer = await watch(`${gateway.http}/live/shown.flv`);
  await viewer.moves();
  await viewer.close();
  await close();
});

test('screen, and audio without video', async () => {
  const { page, read, state, start, close } = await open('alone');
  await page.selectOption('#source', 'audio');
  await start();
  await state('live');
  const heard = await until('the stream', async () => {
    const stream = await known('alone');
    return stream?.audio ? stream : null;
  });
  assert.equal(heard.video, null);
  assert.equal(await page.getByRole('button', { name: /picture/ }).count(), 0);
  await page.getByRole('button', { name: 'Stop' }).click();
  await state('ended');
  await page.selectOption('#source', 'screen');
  await start();
  await state('live');
  await onAir('alone');
  // The audio of microphone and screen is mixed.
  assert.deepEqual(await read((p) => p.stream.getTracks().map(({ kind }) => kind).sort()), ['audio', 'video']);
  await close();
});

for (const [code, work, sentence] of [
  ['permission', () => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }, /Allow camera and microphone/],
  ['no-device', () => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));
    navigator.mediaDevices.enumerateDevices = () => Promise.resolve([]);
  }, /No camera or microphone was found/],
  ['device-busy', () => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('in use', 'NotReadableError')); }, /Another program/],
  ['insecure', () => { Object.defineProperty(window, 'isSecureContext', { value: false }); }, /only on HTTPS pages. Open https:\/\/127\.0\.0\.1:8443\//],
  ['network', () => { document.querySelector('srs-publisher').url = 'webrtc://127.0.0.1:9/live/x'; }, /cannot be reached/],
  ['bad-url', () => { document.querySelector('srs-publisher').url = 'rtsp://127.0.0.1/live/x'; }, /not an address to publish to: rtsp/],
]) {
  test(`the page explains the error ${code}`, async () => {
    const { page, read, state, close } = await open('wrong');
    await page.evaluate(work);
    const refused = await read((p) => p.start().then(() => '', (error) => error.message));
    await state('error');
    const error = await read((p) => p.error);
    assert.equal(error.code, code);
    assert.match(error.message, sentence);
    assert.equal(refused, error.message);
    await page.getByRole('alert').getByText(error.message).waitFor();
    if (code === 'insecure') {
      const link = page.locator('srs-publisher').getByRole('link', { name: 'Open this page over HTTPS' });
      assert.match(await link.getAttribute('href'), /^https:\/\/127\.0\.0\.1:8443\/players\/rtc_publisher\.html\?stream=wrong$/);
    }
    await close();
  });
}

test('the HTTP page links to its HTTPS address, where it publishes', async () => {
  const open = await startGateway(['--open', '--reconnect', '3']);
  const other = await launch([...CAPTURE, `--host-resolver-rules=MAP stream.example 127.0.0.1`]);
  try {
    const { page, close } = await openPage(other, { ignoreHTTPSErrors: true });
    await page.goto(`${open.http.replace('127.0.0.1', 'stream.example')}${PAGE}?stream=secure`);
    await page.getByText('Browsers give out camera and microphone only on HTTPS pages. Here it is:').waitFor();
    assert.equal(await page.locator('srs-publisher').getByRole('button', { name: 'Go live' }).count(), 0);
    const target = `${open.https.replace('127.0.0.1', 'stream.example')}${PAGE}?stream=secure`;
    await page.locator('srs-publisher').getByText(`Open ${target}`).waitFor();
    assert.deepEqual(await axe(page), []);
    const link = page.locator('srs-publisher').getByRole('link', { name: 'Open this page over HTTPS' });
    assert.equal(await link.getAttribute('href'), target);
    await link.click();
    await page.waitForURL(target);
    await page.getByRole('button', { name: 'Go live' }).click();
    await look(page).state('live');
    await until('the stream', async () => (await known('secure', open))?.publish.active);
    await until('WebRTC', () => look(page).read((p) => p.stats?.protocol === 'webrtc'));
    await close();
  } finally {
    await other.close();
    await open.stop();
  }
});

test('a page that is left, and an element that is removed, release everything', async () => {
  const { page, read, state, start, close } = await open('leaving');
  await start();
  await state('live');
  await onAir('leaving');
  await page.goto(`${gateway.http}/healthz`);
  await freed('leaving');
  await page.goto(`${gateway.http}${PAGE}?stream=leaving`);
  await start();
  await state('live');
  await read((p) => {
    window.tracks = p.stream.getTracks();
    p.remove();
  });
  await until('the devices to be closed', () => page.evaluate(() => window.tracks.every((track) => track.readyState === 'ended')));
  await freed('leaving', 2);
  await close();
});

test('a page that is closed while it is busy, or before it is live, ends its session as well', async () => {
  const busy = await open('busy-page');
  await busy.start();
  await busy.state('live');
  await onAir('busy-page');
  // No handler of this page runs after this.
  await busy.page.evaluate(() => { setTimeout(() => { for (;;); }); });
  await busy.close();
  await freed('busy-page');

  const early = await open('early');
  await early.page.evaluate(() => {
    // The answer has arrived, but the connection is not established.
    RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => { window.answered = true; });
  });
  await early.start();
  await until('the answer', () => early.page.evaluate(() => window.answered));
  await early.page.goto(`${gateway.http}/healthz`);
  await freed('early');
  await early.close();
});

test('new SrsPublisher(…).publish() right after the script tag: in a box, and with the page\'s own video', async () => {
  for (const [name, html, preview] of [['box', '<div id="at"></div>', '#at srs-publisher'], ['video', '<video id="at"></video>', '#at']]) {
    const { page, errors, close } = await embed(`${html}<script>addEventListener('DOMContentLoaded', () => {
      window.publisher = new SrsPublisher('#at', 'webrtc://127.0.0.1/live/${name}', { width: 640, height: 360 });
      window.live = publisher.publish();
    });</script>`);
    await page.evaluate(() => window.live);
    await onAir(name);
    await until('the preview', () => page.evaluate((selector) => {
      const node = document.querySelector(selector);
      return (node.video ?? node).videoWidth > 0;
    }, preview));
    await page.evaluate(() => window.publisher.stop());
    await freed(name);
    await page.evaluate(() => window.publisher.destroy());
    await until('the page as before', async () => await page.locator('srs-publisher').count() === 0);
    assert.deepEqual(errors, []);
    await close();
  }
});

test('only pages that publish fetch the publisher', async () => {
  const { page, asked, close } = await embed('<srs-player></srs-player>');
  await page.waitForFunction(() => customElements.get('srs-player'));
  assert.deepEqual(asked.filter((path) => path.includes('publish')), []);
  await page.evaluate(() => { document.body.append(document.createElement('srs-publisher')); });
  await page.waitForFunction(() => document.querySelector('srs-publisher').state === 'idle');
  assert.ok(asked.includes('/srs-player/publisher.js'));
  await close();
});

for (const call of ['SrsRtcPublisherAsync', 'SrsRtcWhipWhepAsync']) {
  test(`pages of srs.sdk.js publish by ${call}`, async () => {
    const { page, errors, close } = await embed('<video muted autoplay></video>');
    const address = call === 'SrsRtcPublisherAsync' ? `webrtc://127.0.0.1/live/${call}` : `${gateway.http}/rtc/v1/whip/?app=live&stream=${call}`;
    const session = await page.evaluate(([name, url]) => {
      window.sdk = new window[name]();
      document.querySelector('video').srcObject = window.sdk.stream;
      return window.sdk.publish(url, { camera: true, audio: true });
    }, [call, address]);
    assert.match(session.sessionid, /^.+:.+$/);
    await onAir(call);
    await until('the preview', () => page.evaluate(() => document.querySelector('video').videoWidth > 0));
    await page.evaluate(() => window.sdk.close());
    await freed(call);
    assert.deepEqual(errors, []);
    await close();
  });
}

test('the element has every member of index.d.ts', async () => {
  const names = promisedMembers('SrsPublisher');
  assert.ok(names.includes('secureAddress') && names.includes('start') && names.includes('source') && names.length > 20, String(names));
  const { read, close } = await open('members');
  assert.deepEqual(await read((p, all) => all.filter((name) => !(name in p)), names), []);
  await close();
});

test('Chinese where the browser is', async () => {
  const { page, state, start, close } = await open('zh', { locale: 'zh-CN' });
  await page.getByRole('heading', { name: '在本页开始直播' }).waitFor();
  const english = await page.evaluate(() => [...document.querySelectorAll('[data-t]')].filter((n) => !/[\u4e00-\u9fff]/.test(n.textContent)).map((n) => n.textContent));
  assert.deepEqual(english, []);
  await page.getByText('点击按钮后才会打开摄像头和麦克风。').waitFor();
  await start();
  await state('live');
  await page.getByRole('button', { name: '停止' }).click();
  await page.getByText('直播已结束。').waitFor();
  await close();
});

test('the page on a phone in dark mode has no errors', async () => {
  const { page, close } = await open('phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' });
  await page.getByRole('button', { name: 'Go live' }).waitFor();
  assert.deepEqual(await axe(page), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
  await page.getByText(`webrtc://${new URL(gateway.http).host}/live/phone`, { exact: true }).waitFor();
  await close();
});
