// Ten hosts in a room: three Chromiums and seven without a browser. Everybody is another colour and another tone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchServer, LIMIT } from './harness.mjs';
import { devices, ears, HOSTS, meets, startHosts } from './support/hosts.mjs';
import { startRooms } from './support/rooms.mjs';

const NAMES = Object.keys(HOSTS);
const [PAGES, OTHERS] = [NAMES.slice(0, 3), NAMES.slice(3)];

/** @type {Awaited<ReturnType<typeof startRooms>>} */ let rooms;
/** @type {ReturnType<typeof startHosts> | undefined} */ let hosts;
/** @type {Awaited<ReturnType<typeof launchServer>>[]} */ let browsers = [];
before(async () => {
  rooms = await startRooms();
  hosts = startHosts(rooms.gateway, 'ten');
  browsers = await Promise.all(PAGES.map((name) => launchServer([...devices(name), '--mute-audio'])));
}, LIMIT);
after(async () => {
  await hosts?.stop();
  await Promise.all(browsers.map(({ close }) => close()));
  await rooms?.stop();
});

test('ten hosts see each other’s colours and hear each other’s tones; one leaves and returns, the gateway restarts, one dies', LIMIT, async () => {
  const pages = await Promise.all(PAGES.map((name, at) => rooms.open(`/rooms/ten?name=${name}`, { by: browsers[at].browser, init: [ears, null] })));
  hosts?.join(...OTHERS);
  for (const one of pages) await one.join();
  const meet = (/** @type {number[]} */ who, /** @type {string[]} */ all) => Promise.all(who.map((at) => meets(pages[at].page, PAGES[at], all.filter((name) => name !== PAGES[at]))));
  await meet([0, 1, 2], NAMES);
  await pages[0].shot('10-1280');

  // One without a browser leaves, and a page does; both return.
  hosts?.leave('Gray');
  await pages[2].press('Leave the room');
  await pages[2].state('closed');
  const rest = NAMES.filter((name) => name !== 'Gray' && name !== 'Blue');
  await meet([0, 1], rest);
  hosts?.join('Gray');
  await pages[2].join();
  await meet([0, 1, 2], NAMES);

  // Nobody presses anything after a restart.
  await rooms.restart(() => Promise.all(pages.map((one) => one.state('reconnecting'))));
  await meet([0, 1, 2], NAMES);

  // A browser that is killed says nothing.
  await browsers[2].kill();
  await meet([0, 1], NAMES.filter((name) => name !== 'Blue'));
  assert.deepEqual(OTHERS.map((name) => hosts?.last(name)?.event), OTHERS.map(() => 'live'));
  // Browsers note each answer of a gateway that is gone, or that a stream is gone.
  const errors = pages.flatMap((one) => one.errors).filter((text) => !/Failed to load resource|WebSocket connection/.test(text));
  assert.deepEqual(errors, []);
});
