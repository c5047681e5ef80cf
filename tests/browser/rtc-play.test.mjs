// <srs-player> over WebRTC with a real gateway: a stream like that of OBS (H.264 and AAC over RTMP), played with the
// browser's peer connection.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { LIMIT, endings, launch, openPage, startGateway, until } from './harness.mjs';
import { startRawBrowser } from './support/cdp.mjs';

/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {import('playwright-core').Browser} */ let browser;
/** Ends the stream live/x that most tests play. @type {() => Promise<void>} */ let unpublish;

before(async () => {
  gateway = await startGateway(['--reconnect', '3']);
  unpublish = publish('x');
  browser = await launch(['--mute-audio']);
});
after(async () => {
  await browser?.close();
  await unpublish?.();
  await gateway?.stop();
});

/**
 * Publishes a test video and a tone until it is stopped.
 * @param {string} name
 * @param {{ size?: string, video?: boolean, audio?: boolean, to?: string }} [options]
 */
function publish(name, { size = '640x360', video = true, audio = true, to = gateway.rtmp } = {}) {
  const input = [
    ...(video ? ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`] : []),
    ...(audio ? ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'] : []),
  ];
  const coded = [
    ...(video ? ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '120'] : []),
    ...(audio ? ['-c:a', 'aac'] : []),
  ];
  const child = spawn('ffmpeg', ['-v', 'error', '-re', ...input, ...coded, '-f', 'flv', `${to}/live/${name}`],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/** Returns a `webrtc://` address of the gateway. @param {string} name */
const address = (name) => `webrtc://${new URL(gateway.http).host}/live/${name}`;

/**
 * Opens a page of a gateway's origin with the player's script.
 * @param {import('playwright-core').Page} page
 * @param {string} body
 * @param {string} [at] the gateway
 */
async function goto(page, body, at = gateway.http) {
  const html = `<!doctype html><title>test</title><link rel="icon" href="data:,">${body}<script src="/srs-player.js"></script>`;
  await page.route(`${at}/test`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto(`${at}/test`);
}

/** In the page: a busy machine takes longer for a connection, or for a frame, than the player waits for one. */
const patience = () => {
  const real = setTimeout;
  window.setTimeout = (work, wait, ...more) => real(work, wait >= 3_000 ? wait * 10 : wait, ...more);
};

/**
 * A page of the gateway's origin with one player, before it is given an address.
 * @param {{ attributes?: string, script?: () => void, from?: import('playwright-core').Browser, at?: string, patient?: boolean }} [options]
 *   `patient: false`: the player gives up on WebRTC after its usual time
 */
async function open({ attributes = '', script, from = browser, at = gateway.http, patient = true } = {}) {
  const opened = await openPage(from);
  const { page } = opened;
  await page.addInitScript(() => {
    // The events, in order.
    Object.assign(window, { states: [], warnings: [], posts: [] });
    document.addEventListener('statechange', (event) => window.states.push(event.detail.state), true);
    document.addEventListener('warning', (event) => window.warnings.push(event.detail), true);
  });
  if (patient) await page.addInitScript(patience);
  if (script) await page.addInitScript(script);
  /** @type {string[]} */
  const requests = [];
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
  await goto(page, `<srs-player controls ${attributes}></srs-player>`, at);
  await page.waitForFunction(() => customElements.get('srs-player'));
  const player = page.locator('srs-player');
  /** @type {(read: (player: any, value?: any) => any, value?: any) => Promise<any>} */
  const look = (read, value) => player.evaluate(read, value);
  const all = () => look((p) => ({
    state: p.state, reason: p.reason, error: p.error, stats: p.stats, ready: p.readyState, time: p.currentTime,
    width: p.videoWidth, paused: p.paused, decoded: p.getVideoPlaybackQuality().totalVideoFrames, warnings: window.warnings,
    states: window.states,
  }));
  const see = (what, check) => until(what, async () => {
    const now = await all();
    return check(now) ? now : undefined;
  }).catch(async (error) => { throw new Error(`${error.message} ${JSON.stringify(await all())}`); });
  return {
    ...opened, requests, look, all, see,
    play: (url) => look((p, value) => {
      p.url = value;
      p.play().catch(() => {});
    }, url),
    state: (name) => see(`state ${name}`, ({ state }) => state === name),
    pixels: () => look((p) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 18 });
      const context = canvas.getContext('2d');
      context.drawImage(p.video, 0, 0, 32, 18);
      return context.getImageData(0, 0, 32, 18).data.join(',');
    }),
    /** Checks that the video moves: more frames are decoded, and pixels change. */
    async moves() {
      const first = await this.see('a picture', ({ state, width }) => state === 'live' && width > 0);
      await this.see('more frames', ({ decoded, time }) => decoded !== first.decoded && time !== first.time);
      const before = await this.pixels();
      await until('other pixels', async () => (await this.pixels()) !== before);
    },
    /** Returns the peak level of the audio within a fifth of a second, 0 to 1. */
    loudness: () => look(async (p) => {
      const audio = new AudioContext();
      const analyser = audio.createAnalyser();
      audio.createMediaStreamSource(p.video.srcObject).connect(analyser);
      await audio.resume();
      const samples = new Float32Array(analyser.fftSize);
      let peak = 0;
      for (let n = 0; n < 10; n++) {
        await new Promise((resolve) => { setTimeout(resolve, 20); });
        analyser.getFloatTimeDomainData(samples);
        for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      }
      await audio.close();
      return peak;
    }),
    sounds() { return until('sound', async () => (await this.loudness()) > 0.02); },
  };
}

/** Returns the number of viewers of a stream. @param {string} name @param {string} [at] */
async function viewers(name, at = gateway.http) {
  const { streams } = await (await fetch(`${at}/api/v1/streams?count=100`)).json();
  const found = streams.find((stream) => stream.name === name);
  return found ? found.clients - (found.publish.cid ? 1 : 0) : 0;
}

test('webrtc:// plays video and audio, and ends its session', LIMIT, async () => {
  const page = await open();
  await page.play(address('x'));
  await page.moves();
  await page.sounds();
  const { stats, states, time } = await page.see('figures', ({ stats }) => stats.fps > 10 && stats.bitrate > 10_000 && stats.rtt !== undefined
    && stats.latency < 1 && stats.loss === 0 && stats.codecs.includes(','));
  assert.equal(stats.protocol, 'webrtc');
  assert.match(stats.codecs, /^avc1\.\w{6},opus$/);
  assert.deepEqual([stats.width, stats.height], [640, 360]);
  assert.ok(Number.isInteger(stats.packetsLost), JSON.stringify(stats));
  assert.ok(time > 0);
  assert.deepEqual([states[0], states.at(-1)], ['connecting', 'live']);
  assert.equal(await page.look((p) => p.getAttribute('state')), 'live');
  await until('no lag', () => page.look((p) => p.live));
  // The scripts for MediaSource are not loaded.
  assert.deepEqual(page.requests.filter((line) => /wasm|pipeline|worker/.test(line)), []);
  assert.deepEqual(page.hosts, [new URL(gateway.http).host]);
  assert.deepEqual(page.errors, []);
  await page.look((p) => p.removeAttribute('url'));
  await page.state('idle');
  await until('the session to end', () => page.requests.some((line) => line.startsWith('DELETE ')));
  await until('no viewers', async () => (await viewers('x')) === 0);
  // A page that is left ends its session too.
  await page.play(address('x'));
  await page.moves();
  assert.equal(await viewers('x'), 1);
  await page.page.goto('about:blank');
  await until('no viewers', async () => (await viewers('x')) === 0);
  // Without that, the gateway would notice after its timeout.
  const whys = () => endings(gateway, 'live/x');
  await until('the end of both sessions', () => whys().length >= 2);
  assert.deepEqual(whys(), Array(2).fill('the client left'));
  await page.close();
});

test('WHEP addresses play, and protocol="webrtc" on an .flv address', LIMIT, async () => {
  const page = await open();
  for (const [url, protocol] of [
    [`${gateway.http}/live/x/whep`, 'auto'],
    [`${gateway.http}/rtc/v1/whep/?app=live&stream=x`, 'auto'],
    [`${gateway.http}/live/x.flv`, 'webrtc'],
    [`${address('x')}?play=/rtc/v1/play/`, 'auto'],
  ]) {
    await page.look((p, value) => p.setAttribute('protocol', value), protocol);
    await page.play(url);
    await page.see(`figures of ${url}`, ({ state, stats }) => state === 'live' && stats?.protocol === 'webrtc' && stats.fps > 0);
    await page.moves();
  }
  await page.close();
});

test('other addresses do not load WebRTC, and protocol="flv" prevents it', LIMIT, async () => {
  const page = await open();
  await page.play(`${gateway.http}/live/x.flv`);
  await page.see('FLV', ({ stats }) => stats?.protocol === 'http-flv');
  assert.deepEqual(page.requests.filter((line) => /rtc/.test(line)), []);
  await page.look((p) => p.setAttribute('protocol', 'flv'));
  await page.play(address('x'));
  await page.see('FLV', ({ stats }) => stats?.protocol === 'http-flv');
  assert.deepEqual(page.requests.filter((line) => line.startsWith('POST')), []);
  await page.close();
});

for (const [name, options] of Object.entries({ sound: { video: false }, picture: { audio: false } })) {
  test(`a stream of ${name} only plays`, LIMIT, async () => {
    const stop = publish(name, options);
    const page = await open();
    try {
      await page.play(address(name));
      await page.see('it live', ({ state, ready, time }) => state === 'live' && ready === 4 && time > 0.2);
      if (name === 'sound') {
        await page.sounds();
        assert.equal((await page.all()).width, 0);
      } else {
        await page.moves();
      }
      const { stats } = await page.see('figures', ({ stats }) => stats.codecs !== '');
      assert.match(stats.codecs, name === 'sound' ? /^opus$/ : /^avc1\.\w{6}$/);
    } finally {
      await stop();
      await page.close();
    }
  });
}

test('the player waits for a stream, starts by itself, and reconnects with its publisher', LIMIT, async () => {
  const page = await open();
  await page.play(address('later'));
  await page.state('waiting');
  assert.match(await page.look((p) => p.reason), /Nobody is live/);
  let stop = publish('later');
  try {
    await page.moves();
    await stop();
    // Wait until the gateway has ended the stream.
    await until('the end of the stream', async () => {
      const { streams } = await (await fetch(`${gateway.http}/api/v1/streams?count=100`)).json();
      return !streams.some((stream) => stream.name === 'later');
    });
    await page.see('that it is noticed', ({ state }) => state === 'waiting' || state === 'reconnecting');
    stop = publish('later', { size: '480x270' });
    await page.see('the new picture', ({ width, state }) => width === 480 && state === 'live');
    await page.moves();
    await page.sounds();
  } finally {
    await stop();
    await page.close();
  }
});

test('a paused player shows a still frame, and after a while ends its session until play()', LIMIT, async () => {
  const page = await open({
    // A clock that the test controls.
    script: () => {
      const real = performance.now.bind(performance);
      window.skew = 0;
      performance.now = () => real() + window.skew;
    },
  });
  const stop = publish('paused');
  await page.play(address('paused'));
  await page.moves();
  await page.look((p) => p.pause());
  await page.state('paused');
  const still = await page.pixels();
  assert.equal(await viewers('paused'), 1);
  await page.look((p) => p.play());
  await page.moves();
  assert.notEqual(await page.pixels(), still);
  assert.equal(page.requests.filter((line) => line.startsWith('POST')).length, 1);
  await page.look((p) => p.pause());
  await page.look(() => { window.skew = 60_000; });
  await until('the session to end', async () => page.requests.some((line) => line.startsWith('DELETE')) && (await viewers('paused')) === 0);
  assert.equal((await page.all()).state, 'paused');
  await page.look((p) => p.play());
  await page.moves();
  assert.equal(page.requests.filter((line) => line.startsWith('POST')).length, 2);
  await page.close();
  await stop();
});

test('the player reconnects after a restart of the server', LIMIT, async () => {
  let server = await startGateway();
  let stop = publish('again', { to: server.rtmp });
  const page = await open({ at: server.http });
  try {
    await page.play(`webrtc://${new URL(server.http).host}/live/again`);
    await page.moves();
    await server.stop();
    await stop();
    await page.see('that it is noticed', ({ state }) => state === 'reconnecting');
    server = await startGateway([], server.addresses);
    stop = publish('again', { to: server.rtmp, size: '480x270' });
    await page.see('the new picture', ({ width, state }) => width === 480 && state === 'live');
    await page.moves();
    const { stats, warnings } = await page.see('figures', ({ stats }) => stats.fps > 0);
    assert.equal(stats.protocol, 'webrtc');
    assert.ok(stats.reconnects > 0);
    assert.deepEqual(warnings, []);
  } finally {
    await page.close();
    await stop();
    await server.stop();
  }
});

/** In the page: only candidates of a TURN server, and there is none. So no connection comes about. */
const blocked = () => {
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(options) { super({ ...options, iceTransportPolicy: 'relay' }); }
  };
};

test('if WebRTC is blocked, the player plays HTTP-FLV and reports it', LIMIT, async () => {
  const page = await open({ script: blocked, patient: false });
  const stop = publish('blocked');
  await page.play(address('blocked'));
  const { stats, warnings } = await page.see('FLV', ({ state, stats }) => state === 'live' && stats.protocol === 'http-flv');
  await page.moves();
  assert.deepEqual(warnings.map(({ code }) => code), ['no-webrtc']);
  assert.match(warnings[0].message, /does not get through/);
  assert.equal(stats.rtt, undefined);
  await until('only the viewer by FLV', async () => (await viewers('blocked')) === 1);
  // It does not if only WebRTC is allowed.
  await page.look((p) => p.setAttribute('protocol', 'webrtc'));
  const { state, reason } = await page.see('another try', ({ state }) => state === 'reconnecting');
  assert.match(`${state}: ${reason}`, /does not get through/);
  await page.close();
  await stop();
});

test('without WebRTC and endless responses, the player plays HLS', LIMIT, async () => {
  const page = await open({ script: () => { delete window.RTCPeerConnection; } });
  await page.page.route('**/*.flv*', (route) => route.fulfill({ status: 502 }));
  await page.play(address('x'));
  await page.see('HLS', ({ state, stats }) => state === 'live' && stats.protocol === 'hls');
  await page.moves();
  assert.match((await page.all()).warnings[0].message, /missing in this browser/);
  await page.close();
});

test('a server without WHEP plays HTTP-FLV', LIMIT, async () => {
  const page = await open();
  await page.page.route('**/rtc/v1/whep/**', (route) => route.fulfill({ status: 404, contentType: 'text/html', body: 'no' }));
  await page.play(address('x'));
  await page.see('FLV', ({ state, stats }) => state === 'live' && stats.protocol === 'http-flv');
  await page.close();
});

test('a stream with a secret is refused with a text, and plays with the secret', LIMIT, async () => {
  const guarded = await startGateway(['--play-secret', 'sesame']);
  const stop = publish('x', { to: guarded.rtmp });
  const page = await open({ at: guarded.http });
  try {
    const url = `webrtc://${new URL(guarded.http).host}/live/x`;
    await page.play(`${url}?secret=guess`);
    const { error, stats } = await page.see('the refusal', ({ state }) => state === 'error');
    assert.deepEqual([error.code, stats], ['forbidden', null]);
    await page.play(`${url}?secret=sesame`);
    await page.moves();
  } finally {
    await page.close();
    await stop();
    await guarded.stop();
  }
});

test('autoplay without a click plays muted, and a tap unmutes', LIMIT, async () => {
  const strict = await launch(['--mute-audio'], false);
  const { page, close } = await openPage(strict);
  // An evaluation in the page counts as a click, so the page must report first.
  await page.addInitScript(() => document.addEventListener('soundblocked', () => console.log('no sound'), true));
  const told = page.waitForEvent('console', (message) => message.text() === 'no sound');
  await page.goto(`${gateway.http}/players/srs_player.html?url=${encodeURIComponent(address('x'))}&autoplay`);
  await told;
  const player = page.locator('srs-player');
  const look = (read) => player.evaluate(read);
  await until('muted playing', () => look((p) => p.state === 'live' && p.muted && p.soundBlocked && p.videoWidth > 0));
  await page.getByRole('button', { name: 'Tap for sound' }).click();
  await until('sound', () => look((p) => !p.muted && !p.paused && !p.soundBlocked));
  await close();
  await strict.close();
});

test('a hidden tab keeps its session, and is live when it is shown', LIMIT, async () => {
  const raw = await startRawBrowser();
  try {
    const tab = await raw.open(`${gateway.http}/players/srs_player.html?url=${encodeURIComponent(address('x'))}&autoplay&muted`, patience);
    const look = () => tab.evaluate(`(() => {
      const p = document.querySelector('srs-player');
      return { hidden: document.hidden, state: p?.state, stats: p?.stats ?? {}, time: p?.currentTime, at: performance.now(),
        decoded: p?.video?.getVideoPlaybackQuality().totalVideoFrames };
    })()`);
    await until('it plays', async () => (await look()).stats.fps > 0);
    await raw.show((await raw.open('about:blank')).target);
    const begun = await until('it is hidden', async () => {
      const now = await look();
      return now.hidden && now;
    });
    // Longer than the timeout of a session without media.
    await until('a while to pass', async () => (await look()).at > begun.at + 8_000);
    await raw.show(tab.target);
    const before = await until('it is shown', async () => {
      const now = await look();
      return !now.hidden && now;
    });
    assert.deepEqual([before.state, before.stats.protocol, before.stats.reconnects], ['live', 'webrtc', 0]);
    await until('it moves', async () => {
      const now = await look();
      return now.state === 'live' && now.time > before.time && now.decoded > before.decoded;
    });
  } finally {
    await raw.close();
  }
});

test('the player page plays webrtc://, and shows figures of the network', LIMIT, async () => {
  const { page, errors, close } = await openPage(browser);
  await page.addInitScript(patience);
  await page.goto(`${gateway.http}/players/srs_player.html`);
  const field = page.getByRole('textbox', { name: 'Address of the stream' });
  await field.fill(address('x'));
  await field.press('Enter');
  await page.getByText('webrtc', { exact: true }).first().waitFor();
  await page.getByText('Round trip').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('url'), address('x'));
  assert.deepEqual(errors, []);
  await close();
});

test('pages of srs.sdk.js play unchanged', LIMIT, async () => {
  const stop = publish('old');
  const { page, errors, close } = await openPage(browser);
  await goto(page, '<video id="old" autoplay muted></video>');
  await page.waitForFunction(() => window.SrsRtcPlayerAsync);
  for (const [name, url] of [
    ['SrsRtcPlayerAsync', address('old')],
    ['SrsRtcWhipWhepAsync', `${gateway.http}/rtc/v1/whep/?app=live&stream=old`],
  ]) {
    const session = await page.evaluate(async ([name, url]) => {
      const video = document.getElementById('old');
      const sdk = new window[name]();
      window.sdk = sdk;
      video.srcObject = sdk.stream;
      return sdk.play(url);
    }, [name, url]);
    assert.match(session.sessionid, /^\S+:\S+$/);
    await until('the picture', () => page.evaluate(() => document.getElementById('old').videoWidth === 640));
    await page.evaluate(() => window.sdk.close());
    await until('no viewers', async () => (await viewers('old')) === 0);
  }
  const refused = await page.evaluate(() => new window.SrsRtcPlayerAsync().play('webrtc://127.0.0.1').catch((error) => error.message));
  assert.match(refused, /not an address/);
  assert.deepEqual(errors, []);
  await close();
  await stop();
});

test('other players show streams[0] with video and audio', LIMIT, async () => {
  const { page, errors, close } = await openPage(browser);
  await goto(page, '');
  const whep = `${gateway.http}/live/x/whep`;
  /**
   * Plays like a page that was written for another server.
   * @param {{ kinds: string[], direction?: string, g711?: boolean, data?: boolean, munge?: [string, string][] }} how
   */
  const play = (how) => page.evaluate(async ([url, { kinds, direction = 'recvonly', g711 = false, data = false, munge = [] }]) => {
    document.querySelectorAll('video').forEach((old) => old.remove());
    const video = Object.assign(document.createElement('video'), { autoplay: true });
    document.body.append(video);
    const pc = new RTCPeerConnection();
    window.foreign = { pc, video };
    if (data) pc.createDataChannel('chat');
    for (const kind of kinds) {
      const transceiver = pc.addTransceiver(kind, { direction });
      if (g711 && kind === 'audio') {
        const { codecs } = RTCRtpReceiver.getCapabilities('audio');
        transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => /PCM[UA]$/.test(mimeType)));
      }
    }
    pc.ontrack = ({ streams }) => { [video.srcObject] = streams; };
    await pc.setLocalDescription(await pc.createOffer());
    let body = pc.localDescription.sdp;
    for (const [from, to] of munge) body = body.replaceAll(from, to);
    const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body });
    const sdp = await answer.text();
    if (answer.status !== 201) throw new Error(sdp);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    return sdp;
  }, [whep, how]);
  const seen = () => page.evaluate(async () => {
    const { pc, video } = window.foreign;
    const stream = video.srcObject;
    let peak = 0;
    if (stream?.getAudioTracks().length) {
      const audio = new AudioContext();
      const analyser = audio.createAnalyser();
      audio.createMediaStreamSource(stream).connect(analyser);
      await audio.resume();
      const samples = new Float32Array(analyser.fftSize);
      for (let n = 0; n < 10; n++) {
        await new Promise((resolve) => { setTimeout(resolve, 20); });
        analyser.getFloatTimeDomainData(samples);
        for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      }
      await audio.close();
    }
    const kinds = stream ? stream.getTracks().map(({ kind }) => kind).sort().join() : '';
    return { kinds, width: video.videoWidth, sounds: peak > 0.02, state: pc.connectionState };
  });
  const bandwidth = /** @type {[string, string]} */ (['c=IN IP4 0.0.0.0\r\n', 'c=IN IP4 0.0.0.0\r\nb=AS:2500\r\nb=TIAS:2500000\r\n']);
  for (const [what, how] of /** @type {[string, Parameters<typeof play>[0]][]} */ ([
    ['audio first', { kinds: ['audio', 'video'] }],
    ['video first', { kinds: ['video', 'audio'] }],
    ['both ways', { kinds: ['audio', 'video'], direction: 'sendrecv' }],
    ['a data channel', { kinds: ['video', 'audio'], data: true }],
    ['two bandwidths, times, another group order', {
      kinds: ['audio', 'video'], munge: [bandwidth, ['t=0 0', 't=2873397496 2873404696'], ['BUNDLE 0 1', 'BUNDLE 1 0']],
    }],
  ])) {
    const answer = await play(how);
    const state = await until(`${what}: picture and sound`, async () => {
      const now = await seen();
      return now.width === 640 && now.sounds && now;
    }).catch(async (error) => { throw new Error(`${error.message} ${JSON.stringify(await seen())}\n${answer}`); });
    assert.equal(state.kinds, 'audio,video', what);
    await page.evaluate(() => window.foreign.pc.close());
  }
  // The offer rejects audio in the section that would contain the candidates.
  const answer = await play({ kinds: ['audio', 'video'], g711: true });
  assert.match(answer, /m=audio 0 /);
  await until('the picture alone', async () => (await seen()).width === 640);
  assert.equal((await seen()).kinds, 'video');
  await page.evaluate(() => window.foreign.pc.close());
  assert.deepEqual(errors, []);
  await close();
});
