// <srs-room> and its pages: Chromium pages with fake cameras, encoders, and a real gateway.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, LIMIT, until } from './harness.mjs';
import { mediaSessions, noErrors, startRooms } from './support/rooms.mjs';

/** @type {Awaited<ReturnType<typeof startRooms>>} */ let rooms;
before(async () => { rooms = await startRooms(); }, LIMIT);
after(() => rooms?.stop());

test('everybody sees and hears everybody; mute, leave, return', LIMIT, async () => {
  const wire = await rooms.wire();
  const anna = await rooms.open('/rooms/talk?name=Anna', { from: wire.http });
  const sockets = [];
  anna.page.on('websocket', (socket) => sockets.push(socket));
  assert.deepEqual(await axe(anna.page), []);
  await anna.shot('prejoin-1280');
  await anna.join();
  await anna.sees('Anna (you)');
  await anna.shot('1-1280');
  const ben = await rooms.open('/rooms/talk?name=Ben');
  await ben.join();
  await anna.sees('Anna (you)', 'Ben');
  await ben.sees('Anna', 'Ben (you)');
  await anna.hears('Ben');
  await ben.hears('Anna');
  // A socket that is lost for a moment comes back to the seat. Media go on as they are, in both directions.
  const { me } = await anna.read();
  const media = async () => [(await anna.read()).peers, (await ben.read()).peers, ...mediaSessions(rooms.gateway)];
  await until('the small pictures of both', () => ben.page.evaluate(() => [...document.querySelector('srs-room').connection.people.values()].every(({ small }) => small)));
  await anna.sees('Anna (you)', 'Ben');
  const untouched = await media();
  assert.ok(untouched[0] >= 4 && untouched[2] >= 8 && untouched[3] === 0, `${untouched}`);
  wire.cut();
  await until('another socket', () => sockets.length === 2);
  await anna.state('joined');
  await anna.look('another key of the same seat', (seen) => seen.me.id === me.id && seen.me.key !== me.key);
  await ben.sees('Anna', 'Ben (you)');
  await anna.sees('Anna (you)', 'Ben');
  assert.deepEqual(await media(), untouched);
  await anna.shot('2-1280');
  assert.deepEqual(await axe(anna.page), []);
  await anna.press('Mute the microphone');
  await anna.page.getByRole('button', { name: 'Unmute the microphone', exact: true }).waitFor();
  await ben.sees('Anna, muted', 'Ben (you)');
  await anna.page.keyboard.press('c');
  await ben.sees('Anna, muted, camera off', 'Ben (you)');
  await ben.shot('muted-1280');
  await ben.press('People');
  await ben.page.getByRole('complementary', { name: 'People' }).waitFor();
  await ben.page.locator('summary').first().click();
  await ben.shot('people-1280');
  assert.deepEqual(await axe(ben.page), []);
  await ben.page.keyboard.press('Escape');
  await ben.press('Settings');
  await ben.shot('settings-1280');
  assert.deepEqual(await axe(ben.page), []);
  await ben.page.keyboard.press('Escape');
  // The chat works each time that its panel is opened.
  for (const text of ['Hello', 'Hello again']) {
    await ben.press('Chat');
    const chat = ben.page.getByRole('complementary', { name: 'Chat' });
    await chat.getByRole('textbox', { name: 'Write a message' }).fill(text);
    await ben.page.keyboard.press('Enter');
    await chat.getByText(text, { exact: true }).waitFor();
    assert.deepEqual(await axe(ben.page), []);
    await ben.press('Close');
    await chat.waitFor({ state: 'detached' });
  }
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
  assert.deepEqual(await axe(ben.page), []);
  await anna.sees('Anna (you)');
  await ben.join();
  await anna.sees('Anna (you)', 'Ben');
  // A browser that dies says nothing.
  await ben.close();
  await anna.look('one tile', ({ tiles }) => tiles.length === 1);
  noErrors(anna);
  await anna.close();
});

test('an invitation on a phone: link, QR code, and the guest joins', LIMIT, async () => {
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
  const host = await rooms.open('/rooms/phones?name=Hu');
  await host.join();
  await host.press('Invite');
  const link = await until('a link', () => host.page.getByRole('textbox', { name: 'Link' }).inputValue());
  assert.match(link, /\/rooms\/phones#invite=.+/);
  await host.page.getByRole('img', { name: 'QR code of the link' }).locator('svg').waitFor();
  assert.deepEqual(await axe(host.page), []);
  await host.shot('invite-1280');
  const { pathname, hash } = new URL(link);
  const guest = await rooms.open(`${pathname}?name=Gu${hash}`, phone);
  await guest.shot('prejoin-390');
  assert.deepEqual(await axe(guest.page), []);
  await guest.join();
  await guest.sees('Gu (you)', 'Hu');
  assert.equal((await guest.read()).me.role, 'guest');
  await guest.shot('2-390');
  /** What a finger may miss. */
  const small = () => guest.page.evaluate(() => [...document.querySelector('srs-room').shadowRoot.querySelectorAll('button,summary,select,input:not([type=range],[type=checkbox])')]
    .map((target) => ({ target, box: target.getBoundingClientRect() })).filter(({ box }) => box.width && (box.width < 48 || box.height < 48 || box.right > innerWidth))
    .map(({ target, box }) => `${target.outerHTML} ${box.width}x${box.height}`));
  assert.deepEqual(await small(), []);
  await guest.press('People');
  await guest.page.getByRole('complementary', { name: 'People' }).getByLabel('Actions for Hu').click();
  await guest.shot('people-390');
  assert.deepEqual(await axe(guest.page), []);
  assert.deepEqual(await small(), []);
  await guest.page.getByRole('complementary', { name: 'People' }).getByLabel('Actions for Hu').press('Escape');
  await guest.press('Settings');
  await guest.shot('settings-390');
  assert.deepEqual(await small(), []);
  await guest.close();
  await host.close();
});

test('by keyboard: Escape closes a panel wherever the focus went; a guest is removed with the invitation', LIMIT, async () => {
  const host = await rooms.open('/rooms/keyboard?name=Hu');
  /** @type {string[]} */
  const sent = [];
  host.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(String(payload))));
  await host.join();
  await host.press('Invite');
  const invitation = host.page.getByRole('complementary', { name: 'Invite' }).getByRole('textbox', { name: 'Link' });
  await until('the link', async () => /#invite=.+/.test(await invitation.inputValue()));
  const { pathname, hash } = new URL(await invitation.inputValue());
  await host.page.keyboard.press('Escape');
  const guest = await rooms.open(`${pathname}?name=Gu${hash}`);
  await guest.join();
  await host.sees('Gu', 'Hu (you)');
  const panel = host.page.getByRole('complementary', { name: 'People' });
  const menu = panel.getByLabel('Actions for Gu');
  const focused = () => host.page.evaluate(() => /** @type {any} */ (document.querySelector('srs-room')).shadowRoot.activeElement?.getAttribute('aria-label'));

  // An action closes its menu: the focus stays at the menu, and the list that is drawn again keeps it.
  await host.press('People');
  await menu.press('Enter');
  await panel.getByRole('button', { name: 'Make a host' }).press('Enter');
  await panel.getByText('Host').nth(1).waitFor();
  assert.equal(await focused(), 'Actions for Gu');
  await host.page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  // Where nothing has the focus, Escape works as well.
  await host.press('People');
  await host.page.evaluate(() => /** @type {any} */ (document.querySelector('srs-room')).shadowRoot.activeElement.blur());
  await host.page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });

  await host.press('People');
  await menu.press('Enter');
  assert.deepEqual(await axe(host.page), []);
  await host.shot('withdraw-1280');
  await panel.getByRole('button', { name: 'Remove, and withdraw the invitation' }).press('Enter');
  await guest.page.getByText('A host has removed you from the room.').waitFor();
  // The row of the guest is gone with its menu: another one has the focus.
  await until('another focus', async () => await focused() === 'Actions for Hu');
  await host.page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  assert.ok(sent.some((text) => /"remove"/.test(text) && /"withdraw":true/.test(text)), sent.at(-1));
  for (const page of [host, guest]) await page.close();
});

test('a refusal that a page cannot mend offers no mix in the page', LIMIT, async () => {
  const host = await rooms.open('/rooms/live?name=Hu');
  await host.join();
  await host.press('Go live');
  const panel = host.page.getByRole('complementary', { name: 'Live' });
  await panel.getByRole('button', { name: 'Go live' }).click();
  await host.page.getByText(/cannot go live/).waitFor();
  assert.equal(await panel.getByRole('button', { name: 'Mix in this page' }).count(), 0);
  await host.close();
});

test('encoders are participants, a scene has the stage alone, and all come back after a restart', LIMIT, async () => {
  const anna = await rooms.open('/rooms/show?name=Anna');
  await anna.join();
  for (const name of ['cam-a', 'cam-b', 'cam-c', 'cam-d']) rooms.encode('show', name);
  await anna.sees('Anna (you)', 'cam-a', 'cam-b', 'cam-c', 'cam-d');
  await anna.shot('5-1280');
  await anna.page.setViewportSize({ width: 390, height: 780 });
  await anna.shot('5-390');
  await anna.page.setViewportSize({ width: 1280, height: 720 });
  const scene = await rooms.open('/rooms/show/scene?layout=speaker&names=1');
  await scene.sees('Anna', 'cam-a', 'cam-b', 'cam-c', 'cam-d');
  assert.equal(await scene.page.getByRole('button').count(), 0);
  assert.deepEqual(await axe(scene.page), []);
  await scene.shot('scene-1280');
  rooms.stopEncoders();
  await anna.sees('Anna (you)');
  await rooms.restart(async () => {
    await anna.state('reconnecting');
    assert.deepEqual(await axe(anna.page), []);
  });
  await anna.state('joined');
  await scene.sees('Anna');
  // One that the page takes out and puts in again joins again.
  await scene.page.evaluate(async () => {
    const room = document.querySelector('srs-room');
    const { parentElement } = room;
    room.remove();
    await new Promise((resolve) => { setTimeout(resolve); });
    parentElement.append(room);
  });
  await scene.sees('Anna');
  await scene.close();
  await anna.close();
});

test('a room and a chat of one page are one person; no camera is opened for an element that is gone', LIMIT, async () => {
  const host = await rooms.member('shared', 'Hu', 'host');
  const anna = await rooms.open('/rooms/shared?name=Anna');
  const { page } = anna;
  await page.evaluate(() => document.body.append(Object.assign(document.createElement('srs-chat'), { id: 'beside', room: 'shared' })));
  const chat = () => page.evaluate(() => {
    const { me, connection } = document.querySelector('#beside');
    return { id: me?.id, role: me?.role, name: me?.name, state: connection?.state };
  });
  const { id: viewer } = await until('the audience', async () => {
    const is = await chat();
    return is.role === 'audience' && is.state === 'joined' && is;
  });
  // The participant is not in the room because the chat is.
  assert.equal((await anna.read()).state, 'idle');
  await anna.join();
  const { me } = await anna.read();
  assert.deepEqual([me.role, await chat()], ['host', { id: me.id, role: 'host', name: 'Anna', state: 'joined' }]);
  assert.notEqual(me.id, viewer);
  await page.locator('#beside').getByRole('textbox', { name: 'Write a message' }).fill('Hello');
  await page.keyboard.press('Enter');
  await until('the message', () => host.last('chat')?.text === 'Hello' && host.last('chat').name === 'Anna');
  await until('no audience', () => host.last('audience')?.count === 0);
  await anna.press('Leave the room');
  await anna.state('closed');
  await until('the audience again', async () => (await chat()).role === 'audience');
  await until('one in the audience', () => host.last('audience')?.count === 1);
  assert.equal(await page.locator('#beside').getByText('Hello').count(), 1);
  const live = () => page.evaluate(() => globalThis.captured.filter(({ readyState }) => readyState === 'live').length);
  assert.equal(await live(), 0);

  // The element goes while it asks whether the browser may use the camera.
  const { asked, opened } = await page.evaluate(async () => {
    const room = document.querySelector('srs-room');
    const before = globalThis.captured.length;
    const answers = [];
    navigator.permissions.query = () => new Promise((resolve) => { answers.push(() => resolve({ state: 'granted' })); });
    const turn = () => new Promise((resolve) => { setTimeout(resolve); });
    const answer = async () => { for (let n = 0; n < 10; n++, await turn()) answers.splice(0).forEach((one) => one()); };
    const { parentElement } = room;
    room.remove();
    await turn();
    parentElement.append(room);
    const asked = answers.length;
    room.remove();
    await answer();
    const opened = globalThis.captured.length - before;
    parentElement.append(room);
    await answer();
    return { asked, opened };
  });
  assert.deepEqual([asked, opened], [1, 0]);
  // One that stays shows the preview.
  await until('the preview', live);
  noErrors(anna);
  await anna.close();
  host.close();
});

test('a shared screen takes the stage; a call is told; a network that loses much shows less', LIMIT, async () => {
  const anna = await rooms.open('/rooms/busy?name=Anna');
  await anna.join();
  const relay = await rooms.relay();
  const ben = await rooms.open('/rooms/busy?name=Ben', { relay: relay.port });
  await ben.join();
  await ben.sees('Anna', 'Ben (you)');
  await anna.press('Share your screen');
  const screen = (seen) => seen.tiles.find(({ label, large, width }) => label === 'Anna’s screen' && large && width > 0);
  await ben.page.getByText('Anna shares a screen').waitFor();
  await ben.look('the screen on the stage', screen);
  await anna.look('the own screen', screen);
  await ben.shot('screen-1280');
  assert.deepEqual(await axe(ben.page), []);
  await anna.press('Stop sharing your screen');
  await ben.look('the grid', ({ tiles }) => tiles.length === 2 && tiles.every(({ large }) => !large));

  // A call takes the microphone: browsers mute its track.
  const call = (kind, type, muted) => anna.page.evaluate(([kind, type, muted]) => {
    const track = globalThis.captured.findLast((one) => one.kind === kind && one.readyState === 'live');
    if (type === 'ended') track.stop();
    Object.defineProperty(track, 'muted', { value: muted, configurable: true });
    track.dispatchEvent(new Event(type));
  }, [kind, type, muted]);
  const told = anna.page.getByText('A call or another program has taken your microphone or camera.');
  await call('audio', 'mute', true);
  await told.waitFor();
  await anna.shot('interrupted-1280');
  assert.deepEqual(await axe(anna.page), []);
  await call('audio', 'unmute', false);
  await told.waitFor({ state: 'detached' });
  // Others end the track of the camera: then one press brings everything back.
  await call('video', 'ended', false);
  await told.waitFor();
  await anna.press('Come back');
  await ben.sees('Anna', 'Ben (you)');
  await ben.hears('Anna');
  await told.waitFor({ state: 'detached' });

  // A network that loses packets.
  const lose = (loss) => relay.change({ loss, delay: 0, jitter: 0 }, 1);
  const width = async () => (await ben.read()).tiles.find(({ label }) => label.startsWith('Anna'))?.width ?? 0;
  await until('the large picture', async () => await width() > 320);
  lose(0.12);
  await ben.page.getByText('Your connection is poor: you see small pictures only.').waitFor();
  await until('the small picture', async () => await width() === 320);
  await anna.page.getByRole('group', { name: /^Ben/ }).getByRole('img', { name: 'poor connection' }).waitFor();
  lose(0.4);
  await ben.page.getByText('Your connection is bad: you only hear the others.').waitFor();
  await until('no picture', async () => await width() === 0);
  await ben.hears('Anna');
  await ben.shot('bad-1280');
  await ben.close();
  await anna.close();
});

test('in Chinese, on a phone: a host lets a guest in, brings a viewer to the stage, and sends her back', LIMIT, async () => {
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
  const host = await rooms.open('/rooms/lobby?name=胡', { ...phone, locale: 'zh-CN' });
  await host.page.getByRole('button', { name: '加入' }).waitFor();
  await host.shot('prejoin-zh-390');
  await host.join();
  await host.press('设置');
  await host.page.getByLabel('嘉宾需等待主持人同意').check();
  await host.shot('settings-zh-390');
  assert.deepEqual(await axe(host.page), []);
  await host.page.keyboard.press('Escape');

  const guest = await rooms.open('/rooms/lobby?name=Gu&as=guest');
  await guest.page.getByRole('button', { name: 'Join' }).click();
  await guest.state('waiting');
  await guest.page.getByText('A host of the room will let you in.').waitFor();
  assert.deepEqual(await axe(guest.page), []);
  await guest.shot('waiting-1280');
  await host.page.getByText('Gu 等待进入').waitFor();
  await host.shot('knocks-zh-390');
  assert.deepEqual(await axe(host.page), []);
  // Who waits sees, hears and sends nothing.
  assert.deepEqual([(await guest.read()).tiles, (await guest.read()).peers], [[], 0]);
  await host.page.getByRole('status').getByRole('button', { name: '允许进入' }).click();
  await guest.state('joined');
  await guest.sees('Gu (you)', '胡');
  await host.sees('Gu', '胡（我）');

  const mia = await rooms.open('/rooms/lobby?name=Mia&as=audience');
  await mia.join();
  await mia.sees('Gu', '胡');
  await mia.press('Raise your hand');
  await host.page.getByText('Mia 举手了').waitFor();
  await host.page.getByRole('status').getByRole('button', { name: '邀请上麦' }).click();
  await mia.page.getByText('You are on the stage now.').waitFor();
  await host.sees('Gu', 'Mia', '胡（我）');
  await host.press('成员');
  await host.page.getByLabel('对 Mia 的操作').click();
  await host.shot('people-zh-390');
  assert.deepEqual(await axe(host.page), []);
  await host.page.getByRole('button', { name: '请下麦' }).click();
  await mia.page.getByText('You are in the audience now.').waitFor();
  await mia.sees('Gu', '胡');
  await until('closed devices', () => mia.page.evaluate(() => globalThis.captured.length > 0 && globalThis.captured.every(({ readyState }) => readyState === 'ended')));
  await host.page.getByLabel('对 Gu 的操作').click();
  await host.page.getByRole('button', { name: '移出房间' }).click();
  await guest.state('refused');
  await guest.page.getByText('A host has removed you from the room.').waitFor();
  assert.deepEqual(await axe(guest.page), []);
  for (const one of [mia, guest, host]) await one.close();
});

test('a host asks again who has declined, or was away: in the room and in a chat', LIMIT, async () => {
  const wire = await rooms.wire();
  const host = await rooms.open('/rooms/asked?name=Hu');
  await host.join();
  const mia = await rooms.open('/rooms/asked?name=Mia&as=audience', { from: wire.http });
  await mia.join();
  const eve = await rooms.open('/rooms/asked?name=Eve', { from: wire.http });
  await eve.page.evaluate(() => document.body.append(Object.assign(document.createElement('srs-chat'), { id: 'beside', room: 'asked', name: 'Eve' })));
  const eveIs = () => eve.page.evaluate(() => {
    const { me, connection } = /** @type {any} */ (document.querySelector('#beside'));
    return { id: me?.id, role: me?.role, state: connection?.state };
  });
  await until('Eve in the audience', async () => (await eveIs()).role === 'audience');
  const asks = mia.page.getByText('Hu invites you to the stage. Your camera and microphone will be opened.');
  const asksEve = eve.page.locator('#beside').getByText('Hu invites you to the stage.');
  const invite = (/** @type {string} */ id) => host.page.evaluate((id) => /** @type {any} */ (document.querySelector('srs-room')).connection.send({ type: 'invite', id }), id);
  const ids = [String((await mia.read()).me?.id), String((await eveIs()).id)];
  for (const id of ids) await invite(id);
  await asks.waitFor();
  await asksEve.waitFor();
  assert.deepEqual(await axe(mia.page), []);
  // Nobody has answered yet: the host asks again from the list, and the question stays one.
  await host.press('People');
  await host.page.getByLabel('Actions for Mia').click();
  await host.shot('invite-again-1280');
  await host.page.getByRole('button', { name: 'Invite again' }).click();
  await mia.press('Not now');
  await host.page.getByText('Mia declined.').waitFor();
  await asks.waitFor({ state: 'detached' });
  await eve.page.locator('#beside').getByRole('button', { name: 'Not now' }).click();
  await asksEve.waitFor({ state: 'hidden' });
  await until('nobody who is invited', () => host.page.evaluate(() => [...(/** @type {any} */ (document.querySelector('srs-room'))).connection.people.values()].every(({ invited }) => !invited)));
  // The host asks while both are away, who have raised their hands: they are asked when they are back.
  await mia.press('Raise your hand');
  await eve.page.locator('#beside').getByRole('button', { name: 'Raise hand' }).click();
  await until('two hands', () => host.page.evaluate(() => [...(/** @type {any} */ (document.querySelector('srs-room'))).connection.people.values()].filter(({ hand }) => hand).length === 2));
  wire.break();
  await mia.state('reconnecting');
  await until('Eve to be away', async () => (await eveIs()).state === 'reconnecting');
  for (const id of ids) await invite(id);
  await until('both invited', () => host.page.evaluate(() => [...(/** @type {any} */ (document.querySelector('srs-room'))).connection.people.values()].filter(({ invited }) => invited).length === 2));
  wire.mend();
  await asks.waitFor();
  await asksEve.waitFor();
  await mia.press('Join the stage');
  await mia.page.getByText('You are on the stage now.').waitFor();
  await mia.sees('Hu', 'Mia (you)');
  await host.sees('Hu (you)', 'Mia');
  noErrors(host);
  for (const one of [eve, mia, host]) await one.close();
});
