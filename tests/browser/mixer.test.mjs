// <srs-mixer>: a page mixes streams of a real gateway; viewers see each colour in its place and hear each tone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { axe, launch, LIMIT, openPage, startGateway, until } from './harness.mjs';
import { startRawBrowser } from './support/cdp.mjs';

/** What the inputs show, and the frequency that they sound, in Hz. */
const INPUTS = { red: 440, blue: 1000, lime: 1700 };
/** Where a picture of the page is put, to be looked at. */
const { SHOTS } = process.env;
let browser;
let gateway;
/** @type {Set<import('node:child_process').ChildProcess>} */
const encoders = new Set();
before(async () => {
  gateway = await startGateway();
  browser = await launch(['--mute-audio']);
  for (const name of Object.keys(INPUTS)) encode(name);
});
after(async () => {
  for (const encoder of encoders) encoder.kill('SIGKILL');
  await browser?.close();
  await gateway?.stop();
});

/** Publishes one colour and one tone. */
function encode(name) {
  const encoder = spawn('ffmpeg', [
    '-v', 'error', '-re', '-f', 'lavfi', '-i', `color=${name}:size=320x180:rate=30`, '-f', 'lavfi', '-i', `sine=${INPUTS[name]}:sample_rate=48000`,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '30', '-c:a', 'aac', '-f', 'flv', `${gateway.rtmp}/live/${name}`,
  ], { stdio: 'ignore' });
  encoders.add(encoder);
  encoder.on('exit', () => encoders.delete(encoder));
}

const known = async (name) => (await (await fetch(`${gateway.http}/api/v1/streams`)).json()).streams.find((stream) => stream.name === name);

/** The page of the mixer. */
async function mix(inputs, output, prepare = () => {}) {
  const opened = await openPage(browser, { viewport: { width: 1000, height: 900 } });
  const { page } = opened;
  await page.addInitScript(prepare);
  await page.goto(`${gateway.http}/players/mixer.html?inputs=${inputs.join('+')}&output=${output}`);
  await page.waitForFunction(() => customElements.get('srs-mixer'));
  const read = () => page.evaluate(() => {
    const { state, error, warning, inputs, stats } = document.querySelector('srs-mixer');
    return { state, error, warning, inputs, stats };
  });
  const start = async () => {
    await page.evaluate(() => document.querySelector('srs-mixer').setAttribute('size', '320x180'));
    await page.getByRole('button', { name: 'Start the mix' }).click();
    await until('the mix', async () => (await read()).state === 'live', read);
  };
  return { ...opened, read, start };
}

/** A viewer that looks at places of the picture, and listens. */
async function watch(address) {
  const { page, close } = await openPage(browser);
  await page.goto(`${gateway.http}/players/srs_player.html?autoplay&url=${encodeURIComponent(address)}`);
  await page.waitForFunction(() => customElements.get('srs-player'));
  /** The colours at places (parts of width and height), and which tones sound. */
  const read = (places) => page.evaluate(([places, tones]) => {
    const { video } = document.querySelector('srs-player');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 36];
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 64, 36);
    const colours = places.map(([x, y]) => {
      const [r, g, b] = [...context.getImageData(x * 64, y * 36, 1, 1).data].map((level) => level > 110);
      return ['dark', 'blue', 'lime', 'cyan', 'red', 'pink', 'yellow', 'white'][r * 4 + g * 2 + b];
    }).join(' ');
    // A connection that was made again has another stream.
    const media = video.srcObject instanceof MediaStream ? video.srcObject : video;
    if (window.heard?.media !== media) {
      const audio = window.heard?.audio ?? new AudioContext();
      const analyser = new AnalyserNode(audio, { fftSize: 8192, smoothingTimeConstant: 0 });
      const source = media instanceof MediaStream ? new MediaStreamAudioSourceNode(audio, { mediaStream: media }) : new MediaElementAudioSourceNode(audio, { mediaElement: video });
      source.connect(analyser).connect(audio.destination);
      window.heard = { media, audio, analyser };
    }
    const { analyser, audio } = window.heard;
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(spectrum);
    const at = (hertz) => Math.max(...spectrum.subarray(...[-2, 3].map((n) => Math.round(hertz * analyser.fftSize / audio.sampleRate) + n)));
    return { colours, tones: Object.keys(tones).filter((name) => at(tones[name]) > -60).join(' '), frames: video.getVideoPlaybackQuality().totalVideoFrames };
  }, [places, INPUTS]);
  /** Waits until the places have these colours, and these tones sound alone. */
  const sees = (places, colours, tones) => until(`${colours}; ${tones}`, async () => {
    const now = await read(places).catch(() => ({}));
    return now.colours === colours && now.tones === tones && now;
  }, () => read(places));
  return { page, read, sees, close };
}

test('each input has its place and its tone; inputs come and go, the layout changes, the gateway restarts', LIMIT, async () => {
  const { page, errors, read, start, close } = await mix(['live/red', 'live/blue'], 'live/merge');
  assert.deepEqual(await axe(page), []);
  await start();
  const whep = await watch(`webrtc://${new URL(gateway.http).host}/live/merge`);
  const flv = await watch(`${gateway.http}/live/merge.flv`);
  const halves = [[0.25, 0.5], [0.75, 0.5]];
  await whep.sees(halves, 'red blue', 'red blue');
  await flv.sees(halves, 'red blue', 'red blue');
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/mixer.png` });
  assert.deepEqual(await axe(page), []);
  const { publish: { cid } } = await known('merge');
  const change = (what, argument) => page.evaluate(`((mixer, argument) => { ${what} })(document.querySelector('srs-mixer'), ${JSON.stringify(argument)})`);
  const rows = [[0.25, 0.25], [0.75, 0.25], [0.5, 0.75]];
  await change('mixer.inputs = argument', ['live/red', 'live/blue', { stream: 'live/lime', name: 'Lime', id: 'third' }]);
  await flv.sees(rows, 'red blue lime', 'red blue lime');
  await change('mixer.inputs = argument', ['live/blue', { stream: 'live/lime', name: 'Lime', id: 'third' }]);
  await flv.sees(halves, 'blue lime', 'blue lime');
  await change('mixer.setLayout("pip"); mixer.setInput("third", { muted: true });');
  await flv.sees([[0.3, 0.3], [0.85, 0.85]], 'blue lime', 'blue');
  await whep.sees([[0.3, 0.3], [0.85, 0.85]], 'blue lime', 'blue');
  // A stream that the page has, such as one of a room, is not played once more.
  const sessions = (await known('lime')).clients;
  await change(`
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
    const context = canvas.getContext('2d');
    setInterval(() => { context.fillStyle = 'red'; context.fillRect(0, 0, 64, 36); }, 100);
    mixer.inputs = [{ stream: canvas.captureStream(), id: 'third', name: 'Canvas' }, 'live/blue'];
    mixer.setLayout({ regions: [{ source: 'live/blue', x: 0, y: 0, w: 160, h: 90 }, { source: 'third', x: 160, y: 90, w: 160, h: 90 }] });`);
  await flv.sees([[0.25, 0.25], [0.75, 0.75], [0.75, 0.25]], 'blue red dark', 'blue');
  await until('the session of the input that left', async () => (await known('lime')).clients < sessions);
  assert.equal((await known('merge')).publish.cid, cid, 'one session for all that');
  assert.deepEqual(errors, []);
  const { addresses } = gateway;
  await gateway.stop();
  await until('the loss', async () => (await read()).state === 'reconnecting', read);
  gateway = await startGateway([], addresses);
  for (const name of Object.keys(INPUTS)) encode(name);
  await until('the mix is back', async () => (await read()).state === 'live' && (await read()).inputs.every(({ state }) => state === 'live'), read);
  await whep.sees([[0.25, 0.25], [0.75, 0.75], [0.75, 0.25]], 'blue red dark', 'blue');
  await page.getByRole('button', { name: 'Stop' }).click();
  await until('the name to be free', async () => !(await known('merge'))?.publish.active);
  for (const one of [whep, flv, { close }]) await one.close();
});

test('where a browser does not give single frames, the page draws; a name that is taken is an error', LIMIT, async () => {
  const first = await mix(['live/red', 'live/gone'], 'live/drawn', () => { delete window.MediaStreamTrackGenerator; });
  await first.start();
  const viewer = await watch(`${gateway.http}/live/drawn.flv`);
  await viewer.sees([[0.25, 0.5]], 'red', 'red');
  await until('an input that nobody publishes', async () => (await first.read()).inputs.map(({ state }) => state).join() === 'live,waiting', first.read);
  const second = await mix(['live/blue'], 'live/drawn');
  await second.page.getByRole('button', { name: 'Start the mix' }).click();
  await second.page.getByText('Somebody is already live under this name').waitFor();
  assert.equal((await second.read()).error.code, 'busy');
  await second.page.evaluate(() => { document.querySelector('srs-mixer').setAttribute('size', '1281x720'); });
  await second.page.getByRole('button', { name: 'Start the mix' }).click();
  await second.page.getByText('A mix cannot have this size: 1281x720').waitFor();
  for (const one of [viewer, first, second]) await one.close();
});

test('a hidden tab mixes on, far above the one frame a second of its timers', LIMIT, async () => {
  const raw = await startRawBrowser();
  try {
    const tab = await raw.open(`${gateway.http}/players/mixer.html?inputs=live/red+live/blue&output=live/hidden`);
    await until('the element is there', () => tab.evaluate('!!globalThis.customElements?.get("srs-mixer")').catch(() => false));
    await tab.evaluate(`(async () => {
      window.mixer = document.querySelector('srs-mixer');
      mixer.setAttribute('size', '320x180');
      await mixer.start();
    })()`);
    await until('the inputs', () => tab.evaluate('mixer.inputs.every(({ state }) => state === "live")'));
    const other = await raw.open('about:blank');
    await raw.show(other.target);
    await until('it is hidden', () => tab.evaluate('document.hidden'));
    // Without a Worker it would be one a second. A machine that does other things too may have a slow moment.
    let [frames, at] = [(await known('hidden')).frames, performance.now()];
    await until('three seconds at 8 frames a second', async () => {
      const passed = performance.now() - at;
      if (passed < 3000) return false;
      const now = (await known('hidden')).frames;
      const rate = (now - frames) * 1000 / passed;
      [frames, at] = [now, performance.now()];
      return rate >= 8;
    });
    assert.ok(await tab.evaluate('document.hidden'));
  } finally {
    await raw.close();
  }
});
