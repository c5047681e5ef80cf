// <srs-publisher> and its page: Chromium with its fake camera and microphone, and a real gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, startGateway, until } from './harness.mjs';
import { freed, gateway, known, onAir, open, PAGE, run, watch } from './support/publisher.mjs';

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
