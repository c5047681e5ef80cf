// <srs-room> and its pages: Chromium pages with fake cameras, encoders, and a real gateway.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { axe, launch, LIMIT, openPage, startGateway, until } from './harness.mjs';

/** Where pictures of the pages are put, to be looked at; without it none are taken. */
const { SHOTS } = process.env;
const CAPTURE = ['--use-fake-device-for-media-stream=device-count=3,fps=10', '--use-fake-ui-for-media-stream', '--mute-audio'];
let browser;
let gateway;
/** Encoders that run. */
const encoders = new Set();
before(async () => {
  gateway = await startGateway();
  browser = await launch(CAPTURE);
});
after(async () => {
  for (const encoder of encoders) encoder.kill('SIGKILL');
  await browser?.close();
  await gateway?.stop();
});

/** A page of the room, with ways to see what it does. */
async function open(path, options = {}) {
  const opened = await openPage(browser, { viewport: { width: 1280, height: 720 }, ...options });
  const { page } = opened;
  await page.goto(`${gateway.http}${path}`);
  await page.waitForFunction(() => customElements.get('srs-room'));
  const read = () => page.evaluate(() => {
    const room = document.querySelector('srs-room');
    const tiles = [...room.shadowRoot.querySelectorAll('.tile')].map((tile) => {
      const { videoWidth: width, currentTime } = tile.querySelector('video');
      return { label: tile.getAttribute('aria-label'), width: tile.classList.contains('seen') ? width : 0, currentTime, speaks: tile.classList.contains('speaks') };
    });
    return { state: room.state, error: room.connection?.error?.code, me: room.me, tiles };
  });
  const look = (what, check) => until(what, async () => check(await read()), read);
  const state = (name) => look(`state ${name}`, (room) => room.state === name);
  const join = async () => {
    await page.getByRole('button', { name: /^(Join|Join again|加入)$/ }).click();
    await state('joined');
  };
  /** All tiles of others have a picture that moves. @param {string[]} labels */
  const sees = async (...labels) => {
    await look(`tiles ${labels.join('; ')}`, ({ tiles }) => JSON.stringify(tiles.map(({ label }) => label).sort()) === JSON.stringify([...labels].sort())
      && tiles.every(({ width, label }) => width > 0 || /camera off/.test(label)));
    const { tiles: first } = await read();
    await look('pictures that move', ({ tiles }) => tiles.every(({ label, currentTime }) => /camera off/.test(label) || currentTime > (first.find((one) => one.label === label)?.currentTime ?? 0)));
  };
  const hears = (name) => look(`the sound of ${name}`, ({ tiles }) => tiles.some(({ label, speaks }) => label.startsWith(name) && speaks));
  return { ...opened, read, look, state, join, sees, hears, press: (name) => page.getByRole('button', { name: typeof name === 'string' ? new RegExp(`^${name}(, \\d+)?$`) : name }).click() };
}

/** @param {{ page: import('playwright-core').Page }} at @param {string} name */
async function shot({ page }, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

/** Publishes a test picture to a room, as OBS would. */
function encode(room, name) {
  const child = spawn('ffmpeg', [
    '-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=8,hue=h=${name.charCodeAt(name.length - 1) * 37}`, '-f', 'lavfi', '-i', 'anullsrc=cl=stereo:r=48000',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '16', '-b:v', '100k', '-c:a', 'aac', '-f', 'flv', `${gateway.rtmp}/${room}/${name}`,
  ], { stdio: 'ignore' });
  encoders.add(child);
  child.on('exit', () => encoders.delete(child));
  return child;
}

test('everybody sees and hears everybody; mute, leave, return', LIMIT, async () => {
  const anna = await open('/rooms/talk?name=Anna');
  assert.deepEqual(await axe(anna.page), []);
  await shot(anna, 'prejoin-1280');
  await anna.join();
  await anna.sees('Anna (you)');
  await shot(anna, '1-1280');
  const ben = await open('/rooms/talk?name=Ben');
  await ben.join();
  await anna.sees('Anna (you)', 'Ben');
  await ben.sees('Anna', 'Ben (you)');
  await anna.hears('Ben');
  await ben.hears('Anna');
  await shot(anna, '2-1280');
  assert.deepEqual(await axe(anna.page), []);
  await anna.press('Mute the microphone');
  await anna.page.getByRole('button', { name: 'Unmute the microphone', exact: true }).waitFor();
  await ben.sees('Anna, muted', 'Ben (you)');
  await anna.page.keyboard.press('c');
  await ben.sees('Anna, muted, camera off', 'Ben (you)');
  await shot(ben, 'muted-1280');
  await ben.press('People');
  await ben.page.getByRole('complementary', { name: 'People' }).waitFor();
  await ben.page.locator('summary').first().click();
  await shot(ben, 'people-1280');
  assert.deepEqual(await axe(ben.page), []);
  await ben.page.keyboard.press('Escape');
  await ben.press('Settings');
  await shot(ben, 'settings-1280');
  assert.deepEqual(await axe(ben.page), []);
  await ben.page.keyboard.press('Escape');
  // A page that is loaded again comes back to its seat.
  const before = (await ben.read()).me;
  await ben.page.reload();
  await ben.page.waitForFunction(() => customElements.get('srs-room'));
  await ben.join();
  assert.equal((await ben.read()).me.id, before.id);
  await anna.press('Unmute the microphone');
  await anna.press('Turn the camera on');
  await ben.sees('Anna', 'Ben (you)');
  await anna.sees('Anna (you)', 'Ben');
  await ben.press('Leave the room');
  await ben.state('closed');
  await ben.page.getByText('You left the room').waitFor();
  await anna.sees('Anna (you)');
  await ben.join();
  await anna.sees('Anna (you)', 'Ben');
  // A browser that dies says nothing.
  await ben.close();
  await anna.look('one tile', ({ tiles }) => tiles.length === 1);
  assert.deepEqual(anna.errors, []);
  await anna.close();
});

test('an invitation on a phone: link, QR code, and the guest joins', LIMIT, async () => {
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
  const host = await open('/rooms/phones?name=Hu');
  await host.join();
  await host.press('Invite');
  const link = await until('a link', () => host.page.getByRole('textbox', { name: 'Link' }).inputValue());
  assert.match(link, /\/rooms\/phones#invite=.+/);
  await host.page.getByRole('img', { name: 'QR code of the link' }).locator('svg').waitFor();
  await shot(host, 'invite-1280');
  const { pathname, hash } = new URL(link);
  const guest = await open(`${pathname}?name=Gu${hash}`, phone);
  await shot(guest, 'prejoin-390');
  assert.deepEqual(await axe(guest.page), []);
  await guest.join();
  await guest.sees('Gu (you)', 'Hu');
  assert.equal((await guest.read()).me.role, 'guest');
  await shot(guest, '2-390');
  const small = await guest.page.evaluate(() => [...document.querySelector('srs-room').shadowRoot.querySelectorAll('.bar button')]
    .map((button) => button.getBoundingClientRect()).filter(({ width }) => width).filter(({ width, height, right }) => width < 48 || height < 48 || right > innerWidth).length);
  assert.equal(small, 0);
  await guest.press('People');
  await shot(guest, 'people-390');
  assert.deepEqual(await axe(guest.page), []);
  await guest.close();
  await host.close();
});

test('encoders are participants, a scene has the stage alone, and all come back after a restart', LIMIT, async () => {
  const anna = await open('/rooms/show?name=Anna');
  await anna.join();
  for (const name of ['cam-a', 'cam-b', 'cam-c', 'cam-d']) encode('show', name);
  await anna.sees('Anna (you)', 'cam-a', 'cam-b', 'cam-c', 'cam-d');
  await shot(anna, '5-1280');
  await anna.page.setViewportSize({ width: 390, height: 780 });
  await shot(anna, '5-390');
  await anna.page.setViewportSize({ width: 1280, height: 720 });
  const scene = await open('/rooms/show/scene?layout=speaker&names=1');
  await scene.sees('Anna', 'cam-a', 'cam-b', 'cam-c', 'cam-d');
  assert.equal(await scene.page.getByRole('button').count(), 0);
  await shot(scene, 'scene-1280');
  for (const encoder of encoders) encoder.kill('SIGKILL');
  await anna.sees('Anna (you)');
  const { addresses } = gateway;
  await gateway.stop();
  await anna.state('reconnecting');
  gateway = await startGateway([], addresses);
  await anna.state('joined');
  await scene.sees('Anna');
  await scene.close();
  await anna.close();
});

if (SHOTS) test('pictures of ten', LIMIT, async () => {
  const anna = await open('/rooms/ten?name=Anna');
  await anna.join();
  for (let n = 1; n < 10; n++) encode('ten', `camera-${n}`);
  await anna.look('ten', ({ tiles }) => tiles.length === 10 && tiles.every(({ width }) => width > 0));
  await shot(anna, '10-1280');
  await anna.press('Layout: grid');
  await new Promise((resolve) => { setTimeout(resolve, 3000); });
  await shot(anna, '10-speaker-1280');
  await anna.page.setViewportSize({ width: 390, height: 780 });
  await new Promise((resolve) => { setTimeout(resolve, 2000); });
  await shot(anna, '10-speaker-390');
  await anna.page.evaluate(() => { document.querySelector('srs-room').setAttribute('layout', 'grid'); });
  await new Promise((resolve) => { setTimeout(resolve, 2000); });
  await shot(anna, '10-390');
  await anna.close();
});
