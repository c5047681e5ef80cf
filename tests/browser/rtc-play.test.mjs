// <srs-player> over WebRTC with a real gateway: a stream like that of OBS (H.264 and AAC over RTMP), played with the
// browser's peer connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMIT, endings, launch, openPage, startGateway, until } from './harness.mjs';
import { startRawBrowser } from './support/cdp.mjs';
import { address, gateway, open, patience, publish, viewers } from './support/rtc-player.mjs';

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
