// Pages that play over WebRTC: the player's page, pages of srs.sdk.js, and other players.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMIT, openPage, until } from './harness.mjs';
import { address, browser, gateway, goto, patience, publish, viewers } from './support/rtc-player.mjs';

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
