// A gateway without ffmpeg cannot mix: the page of a host mixes the room, and the audience sees and hears everybody.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launchServer, LIMIT, openPage, until } from './harness.mjs';
import { devices, HOSTS, startHosts } from './support/hosts.mjs';
import { startRooms } from './support/rooms.mjs';

/** @type {Awaited<ReturnType<typeof startRooms>>} */ let rooms;
/** @type {ReturnType<typeof startHosts> | undefined} */ let hosts;
/** @type {Awaited<ReturnType<typeof launchServer>> | undefined} */ let server;
before(async () => {
  rooms = await startRooms([], [], { PATH: '/nowhere' });
  hosts = startHosts(rooms.gateway, 'small');
  server = await launchServer([...devices('Lime'), '--mute-audio']);
}, LIMIT);
after(async () => {
  await hosts?.stop();
  await server?.close();
  await rooms?.stop();
});

/** In the page of a viewer: the colours at places of the picture, and the tones that sound. @param {[[number, number][], typeof HOSTS]} argument */
function look([places, hosts]) {
  const video = /** @type {any} */ (document.querySelector('srs-player')).video;
  const context = /** @type {CanvasRenderingContext2D} */ (Object.assign(document.createElement('canvas'), { width: 64, height: 36 }).getContext('2d', { willReadFrequently: true }));
  context.drawImage(video, 0, 0, 64, 36);
  const colours = places.map(([x, y]) => {
    const [r, g, b] = context.getImageData(x * 64, y * 36, 1, 1).data;
    return Object.entries(hosts).find(([, { rgb }]) => Math.hypot(r - rgb[0], g - rgb[1], b - rgb[2]) < 70)?.[0] ?? `${r},${g},${b}`;
  });
  const page = /** @type {any} */ (globalThis);
  if (page.media !== video.srcObject && video.srcObject) {
    page.media = video.srcObject;
    page.audio ??= new AudioContext();
    page.analyser = new AnalyserNode(page.audio, { fftSize: 8192, smoothingTimeConstant: 0 });
    new MediaStreamAudioSourceNode(page.audio, { mediaStream: page.media }).connect(page.analyser).connect(page.audio.destination);
  }
  const spectrum = new Float32Array(page.analyser?.frequencyBinCount ?? 0);
  page.analyser?.getFloatFrequencyData(spectrum);
  const loudest = (/** @type {number} */ hertz) => {
    const middle = Math.round(hertz * 8192 / page.audio?.sampleRate);
    return Math.max(...spectrum.subarray(middle - 1, middle + 2));
  };
  return { colours, tones: Object.entries(hosts).filter(([, { hertz }]) => loudest(hertz) > -70 && loudest(hertz) > loudest(hertz * 1.07) + 12).map(([name]) => name) };
}

test('the page of a host mixes where the gateway cannot', LIMIT, async () => {
  const lime = await rooms.open('/rooms/small?name=Lime', { by: server?.browser });
  await lime.join();
  hosts?.join('Red');
  await lime.sees('Lime (you)', 'Red');
  hosts?.join('Blue');
  await lime.sees('Blue', 'Lime (you)', 'Red');
  await lime.press('Go live');
  const panel = lime.page.getByRole('complementary', { name: 'Live' });
  // Nobody is asked to mix before the gateway has refused.
  await panel.getByText('The gateway mixes the participants').waitFor();
  assert.equal(await panel.getByRole('button', { name: 'Mix in this page' }).count(), 0);
  await panel.getByRole('button', { name: 'Go live' }).click();
  await panel.getByText(/The gateway does not mix: .*ffmpeg/).waitFor();
  await lime.shot('mix-offer-1280');
  assert.deepEqual(await axe(lime.page), []);
  await panel.getByRole('button', { name: 'Mix in this page' }).click();
  await panel.getByText(/The room is live.* This page mixes: keep it open/).waitFor();
  await lime.shot('mix-here-1280');
  assert.deepEqual(await axe(lime.page), []);

  const viewer = await openPage(rooms.browser);
  await viewer.page.goto(`${rooms.gateway.http}/players/srs_player.html?autoplay&url=${encodeURIComponent(`webrtc://${new URL(rooms.gateway.http).host}/live/small`)}`);
  await viewer.page.waitForFunction(() => customElements.get('srs-player'));
  const sees = async (/** @type {[number, number][]} */ places, /** @type {string[]} */ colours, /** @type {string[]} */ tones) => {
    const read = () => viewer.page.evaluate(look, /** @type {[[number, number][], typeof HOSTS]} */ ([places, HOSTS]));
    await until(`${colours} in the broadcast`, async () => (await read()).colours.join() === colours.join(), read);
    /** @type {Set<string>} */
    const heard = new Set();
    await until(`${tones} in the broadcast`, async () => {
      (await read()).tones.forEach((tone) => heard.add(tone));
      return tones.every((tone) => heard.has(tone));
    }, () => [...heard]);
  };
  const three = /** @type {[number, number][]} */ ([[0.25, 0.25], [0.75, 0.25], [0.5, 0.75]]);
  await sees(three, ['Lime', 'Red', 'Blue'], ['Lime', 'Red', 'Blue']);
  // The panel may be closed meanwhile, and people come and go.
  await lime.page.keyboard.press('Escape');
  hosts?.leave('Blue');
  await sees([[0.25, 0.5], [0.75, 0.5]], ['Lime', 'Red'], ['Lime', 'Red']);
  await lime.press('Live');
  // Who is taken out of the picture is still heard.
  await panel.getByRole('checkbox', { name: 'Red' }).uncheck();
  await sees([[0.25, 0.5], [0.75, 0.5]], ['Lime', 'Lime'], ['Lime', 'Red']);
  await panel.getByRole('button', { name: 'End the broadcast' }).click();
  await panel.getByRole('button', { name: 'Go live' }).waitFor();
  await until('the end of the broadcast', () => lime.page.evaluate(() => /** @type {any} */ (document.querySelector('srs-room')).connection.live === null));
  assert.equal(await lime.page.evaluate(() => document.querySelector('srs-room')?.shadowRoot?.querySelectorAll('srs-mixer').length), 0);
  await viewer.close();
});
