// A room goes live from its page: two browsers are mixed by the gateway, and the audience's page plays the mix.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, LIMIT, openPage, until } from './harness.mjs';
import { noErrors, SHOTS, startRooms } from './support/rooms.mjs';

/** @type {Awaited<ReturnType<typeof startRooms>>} */ let rooms;
before(async () => { rooms = await startRooms([], ['--mix-size', '640x360', '--mix-rate', '10', '--mix-quality', 'full']); }, LIMIT);
after(() => rooms?.stop());

test('a host goes live, chooses who is seen, and ends with a last card', LIMIT, async () => {
  const anna = await rooms.open('/rooms/talk?name=Anna');
  await anna.join();
  const ben = await rooms.open('/rooms/talk?name=Ben');
  await ben.join();
  await anna.sees('Anna (you)', 'Ben');
  await anna.press('Go live');
  const panel = anna.page.getByRole('complementary', { name: 'Live' });
  await panel.getByRole('button', { name: 'Go live' }).click();
  await panel.getByText('The room is live.').waitFor();
  await anna.shot('live-1280');
  assert.deepEqual(await axe(anna.page), []);
  // The audience sees the mix, in the size of the settings, and it moves.
  const viewer = await openPage(rooms.browser, { viewport: { width: 1280, height: 720 } });
  await viewer.page.goto(`${rooms.gateway.http}/rooms/talk/watch`);
  const seen = () => viewer.page.evaluate(() => {
    const find = (/** @type {ParentNode} */ root) => {
      /** @type {HTMLVideoElement[]} */
      const found = [...root.querySelectorAll('video')];
      for (const node of root.querySelectorAll('*')) if (node.shadowRoot) found.push(...find(node.shadowRoot));
      return found;
    };
    const video = find(document).find(({ videoWidth }) => videoWidth > 0);
    return { width: video?.videoWidth ?? 0, height: video?.videoHeight ?? 0, time: video?.currentTime ?? 0 };
  });
  await until('the mix in the audience', async () => { const { width, height } = await seen(); return width === 640 && height === 360; }, seen);
  const { time } = await seen();
  await until('the mix to go on', async () => (await seen()).time > time + 0.5, seen);
  if (SHOTS) await viewer.page.screenshot({ path: `${SHOTS}/live-watch-1280.png` });
  // The other host is taken out of the picture, and knows it.
  await panel.getByRole('checkbox', { name: 'Ben' }).uncheck();
  await until('Ben to be hidden', () => ben.page.evaluate(() => {
    const { connection } = /** @type {any} */ (document.querySelector('srs-room'));
    return [...connection.people.values()].some(({ name, shown }) => name === 'Ben' && shown === false);
  }));
  await panel.getByRole('combobox').selectOption('speaker');
  await panel.getByLabel('Text at the end').fill('See you on Friday');
  await panel.getByRole('button', { name: 'End the broadcast' }).click();
  await panel.getByRole('button', { name: 'Go live' }).waitFor();
  assert.equal(await anna.page.evaluate(() => /** @type {any} */ (document.querySelector('srs-room')).connection.live), null);
  noErrors(anna);
  await viewer.close();
});

test('on a phone the broadcast is started from the list of people', LIMIT, async () => {
  const anna = await rooms.open('/rooms/phone?name=Anna', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await anna.join();
  await anna.press('People');
  await anna.page.getByRole('complementary', { name: 'People' }).getByRole('button', { name: 'Go live' }).click();
  const panel = anna.page.getByRole('complementary', { name: 'Live' });
  await panel.getByRole('button', { name: 'Go live' }).waitFor();
  await anna.shot('live-390');
  assert.deepEqual(await axe(anna.page), []);
});
