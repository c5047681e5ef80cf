// Tokens: requested before every attempt, sent in the way of each protocol, never written into the page. A proxy in front
// of a gateway plays the part of a server that requires tokens: each is valid for one start.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, request as forward } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { LIMIT, launch, openPage, startGateway, until } from './harness.mjs';
import { servePages } from './pages-server.mjs';

const CAPTURE = ['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream', '--mute-audio'];
/** Returns a text like a JSON Web Token, different for each number. */
const PREFIX = 'eyJhbGciOiJFZERTQSJ9.eyJzdHJlYW0iOiJsaXZlL3gifQ.';
/** @type {Awaited<ReturnType<typeof startGateway>>} */ let gateway;
/** @type {Awaited<ReturnType<typeof servePages>>} */ let site;
/** @type {Awaited<ReturnType<typeof guard>>} */ let door;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let ffmpeg;
before(async () => {
  gateway = await startGateway();
  [site, door, browser] = await Promise.all([servePages({ '/test': '<!doctype html><title>test</title><link rel="icon" href="data:,"><script src="/srs-player.js"></script><main></main>' }), guard(gateway.http), launch(CAPTURE)]);
  ffmpeg = spawn('ffmpeg', ['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '30', '-f', 'flv',
    `${gateway.rtmp}/live/x`], { stdio: 'ignore' });
});
after(async () => {
  ffmpeg?.kill('SIGKILL');
  await browser?.close();
  await door?.close();
  await site?.close();
  await gateway?.stop();
});

/**
 * Starts a server that accepts each token once. Accepted sessions continue.
 * @param {string} to
 */
async function guard(to) {
  const { host, hostname, port } = new URL(to);
  /** @type {{ method: string, path: string, bearer: string, query: string, status: number }[]} */
  const seen = [];
  const used = new Map();
  const sockets = new Set();
  const door = { strict: false, seen, used };
  /** Returns whether a request is allowed. */
  const judge = (/** @type {import('node:http').IncomingMessage} */ request) => {
    const url = new URL(request.url ?? '', to);
    const bearer = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const query = url.searchParams.get('token') ?? url.searchParams.get('secret') ?? '';
    const token = bearer || query;
    const list = /\.m3u8$/.test(url.pathname);
    // Requests of a session's own address, addresses in a playlist, and preflight requests need no token.
    const free = request.method === 'OPTIONS' || request.method === 'DELETE' || request.method === 'PATCH'
      || /\.(ts|m4s|mp4)$/.test(url.pathname) || url.searchParams.has('session') || /^\/api|^\/$/.test(url.pathname);
    const known = used.get(token);
    const fresh = known === undefined || (list && known === url.pathname);
    const ok = free || (!!token && fresh && !door.strict);
    if (!free && ok) used.set(token, url.pathname);
    if (request.method !== 'OPTIONS') seen.push({ method: request.method ?? '', path: url.pathname, bearer, query, status: ok ? 200 : 401 });
    url.searchParams.delete('token');
    url.searchParams.delete('secret');
    return { ok, path: url.pathname + url.search };
  };
  const server = createServer((request, response) => {
    const { ok, path } = judge(request);
    if (!ok) {
      response.writeHead(401, { 'access-control-allow-origin': '*', 'content-type': 'application/problem+json' });
      return response.end(JSON.stringify({ detail: 'the token was used before' }));
    }
    const { authorization: _, ...headers } = request.headers;
    const onward = forward({ host: hostname, port, method: request.method, path, headers: { ...headers, host } }, (answer) => {
      const given = { ...answer.headers };
      if (given.location) given.location = new URL(given.location, to).href.replace(to, door.http);
      response.writeHead(answer.statusCode ?? 500, given);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    return request.pipe(onward);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket) => {
    const { ok, path } = judge(request);
    if (!ok) return socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    const onward = connect(Number(port), hostname, () => {
      const headers = Object.entries({ ...request.headers, host }).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      onward.write(`GET ${path} HTTP/1.1\r\n${headers}\r\n`);
      onward.pipe(socket).pipe(onward);
    });
    for (const [one, other] of [[socket, onward], [onward, socket]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    return socket;
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const { port: own } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return Object.assign(door, {
    http: `http://127.0.0.1:${own}`,
    /** Closes all connections, like an outage. */
    drop() { for (const socket of sockets) socket.destroy(); },
    close() {
      this.drop();
      return new Promise((resolve) => { server.close(resolve); });
    },
  });
}

/** Returns the requests after `from` that needed a token. */
const shown = (/** @type {number} */ from) => door.seen.slice(from).filter(({ bearer, query, status }) => bearer || query || status !== 200);

/**
 * Opens a page with an element whose token is a function.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {string} body of the function, whose parameters are the number of calls, and the prefix
 */
async function open(tag, attributes, body) {
  const { page, close } = await openPage(browser, { permissions: ['camera', 'microphone'] });
  await page.goto(`${site.origin}/test`);
  await page.evaluate(({ tag, attributes, body, prefix }) => {
    window.asked = 0;
    const element = window.element = document.createElement(tag);
    const answer = new Function('n', 'prefix', body);
    element.token = async () => answer(++window.asked, prefix);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    document.querySelector('main').append(element);
  }, { tag, attributes, body, prefix: `${PREFIX}${Math.random().toString(36).slice(2)}-` });
  const look = (/** @type {(element: any) => any} */ read) => page.evaluate(`(${read})(window.element)`);
  return { page, look, asked: () => page.evaluate(() => window.asked), close };
}

const moves = (/** @type {(read: (element: any) => any) => Promise<any>} */ look) => until('the picture to move', async () => {
  const before = await look((p) => (p.state === 'live' ? p.getVideoPlaybackQuality().totalVideoFrames : 0));
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  return before > 0 && await look((p) => p.getVideoPlaybackQuality().totalVideoFrames) > before;
});

const WAYS = {
  webrtc: { ending: '/whep', where: 'bearer' },
  flv: { ending: '.flv', where: 'bearer' },
  'ws-flv': { ending: '.flv', where: 'query' },
  hls: { ending: '.m3u8', where: 'bearer' },
};
for (const [protocol, { ending, where }] of Object.entries(WAYS)) {
  test(`${protocol}: plays with a token, and comes back with another one`, LIMIT, async () => {
    const from = door.seen.length;
    const at = protocol === 'ws-flv' ? door.http.replace('http', 'ws') : door.http;
    const url = `${at}/live/x${ending}`;
    const { page, look, asked, close } = await open('srs-player', { url, protocol, autoplay: '', muted: '', controls: '' }, 'return prefix + n');
    await moves(look);
    const first = await asked();
    assert.equal(first, 1);
    if (protocol === 'webrtc') {
      // The media does not pass through the proxy.
      await look((p) => p.load());
    } else if (protocol === 'hls') {
      // The session has ended: the playlist is refused from now on.
      for (const token of door.used.keys()) door.used.set(token, '/');
    } else {
      door.drop();
    }
    await until('another token', async () => await asked() > first);
    await moves(look);
    const all = shown(from);
    for (const { bearer, query } of all) {
      assert.ok((where === 'bearer' ? bearer : query).startsWith(PREFIX), JSON.stringify(all));
      assert.ok(!(where === 'bearer' ? query : bearer), JSON.stringify(all));
    }
    const tokens = new Set(all.map(({ bearer, query }) => bearer || query));
    assert.equal(tokens.size, await asked());
    assert.equal(all.filter(({ status }) => status !== 200).length, protocol === 'hls' ? 1 : 0, JSON.stringify(all));
    assert.ok(!(await page.content()).includes(PREFIX));
    await close();
  });
}

test('after a used token, the player requests one more; a second refusal is reported', LIMIT, async () => {
  door.used.set(`${PREFIX}old`, '/');
  const url = `${door.http}/live/x.flv`;
  const stale = await open('srs-player', { url, autoplay: '', muted: '' }, `return n === 1 ? '${PREFIX}old' : prefix + n`);
  await moves(stale.look);
  assert.equal(await stale.asked(), 2);
  await stale.close();
  for (const protocol of ['flv', 'ws-flv', 'webrtc', 'hls']) {
    const at = protocol === 'ws-flv' ? url.replace('http', 'ws') : url.replace('.flv', WAYS[protocol].ending);
    const { page, look, asked, close } = await open('srs-player', { url: at, protocol, autoplay: '', muted: '' }, `return '${PREFIX}old'`);
    await page.getByRole('alert').filter({ hasText: 'The server does not allow playing this stream.' }).waitFor();
    assert.deepEqual(await look((p) => [p.state, p.error.code, p.getAttribute('code')]), ['error', 'forbidden', 'forbidden'], protocol);
    assert.ok(await asked() >= 2);
    await close();
  }
});

test('what the page\'s function says is what the viewer reads', LIMIT, async () => {
  const from = door.seen.length;
  const url = `${door.http}/live/x.flv`;
  for (const lang of ['en', 'zh']) {
    const { page, look, close } = await open('srs-player', { url, lang, autoplay: '', muted: '' }, "throw Object.assign(new Error('Log in to watch.'), { code: 'forbidden' })");
    await page.getByRole('alert').filter({ hasText: 'Log in to watch.' }).waitFor();
    assert.deepEqual(await look((p) => [p.state, p.error]), ['error', { code: 'forbidden', message: 'Log in to watch.' }]);
    await close();
  }
  assert.deepEqual(shown(from), []);
});

test('whatever else goes wrong in the page\'s function is tried again', LIMIT, async () => {
  const errors = ["Object.assign(new Error('away'), { code: 'network' })", "new Error('hiccup')", "Object.assign(new Error('429'), { code: 'http' })", "'no error at all'"];
  await Promise.all(errors.map(async (error) => {
    const { look, asked, close } = await open('srs-player', { url: `${door.http}/live/x.flv`, autoplay: '', muted: '' },
      `if (n < 3) throw ${error}; return prefix + n`);
    await moves(look);
    assert.equal(await asked(), 3, error);
    await close();
  }));
  // A live publisher stays in `reconnecting`.
  const { page, look, asked, close } = await open('srs-publisher', { url: `${door.http}/live/hiccup/whip`, protocol: 'ws-flv' },
    "if (n === 2 || n === 3) throw new Error('hiccup'); return prefix + n");
  await page.getByRole('button', { name: 'Go live' }).click();
  await until('live', () => look((p) => p.state === 'live'));
  door.drop();
  await until('another token', async () => await asked() > 3);
  await until('live again', () => look((p) => p.state === 'live'));
  await close();
});

for (const protocol of ['webrtc', 'flv', 'ws-flv', 'hls']) {
  test(`${protocol}: one token is enough while the server is down`, LIMIT, async () => {
    const { ending } = WAYS[protocol];
    const away = await guard('http://127.0.0.1:9');
    const { port } = new URL(away.http);
    await away.close();
    const url = `${protocol === 'ws-flv' ? 'ws' : 'http'}://127.0.0.1:${port}/live/x${ending}`;
    const { page, look, asked, close } = await open('srs-player', { url, protocol, autoplay: '', muted: '' }, 'return prefix + n');
    let failed = 0;
    page.on('requestfailed', () => { failed++; });
    await until('some attempts', () => failed > 3);
    assert.equal(await asked(), 1);
    assert.equal(await look((p) => p.state), 'reconnecting');
    await close();
  });
}

test('a publisher sends one token to the possible addresses of its server', LIMIT, async () => {
  const { page, look, asked, close } = await open('srs-publisher', { url: 'webrtc://gone.test/live/p' }, 'return prefix + n');
  const sent = [];
  await page.route(/gone\.test/, (route) => {
    sent.push([new URL(route.request().url()).port, route.request().headers().authorization]);
    return route.abort('connectionrefused');
  });
  await page.getByRole('button', { name: 'Go live' }).click();
  await until('the end', () => look((p) => p.state === 'error'));
  assert.equal(await look((p) => p.error.code), 'network');
  const [[, token]] = sent;
  assert.ok(token.includes(PREFIX));
  assert.deepEqual(sent, [['1985', token], ['8080', token]]);
  assert.equal(await asked(), 1);
  await close();
});

test('the publisher sends a token to start, and none to stop; over a WebSocket in the address', LIMIT, async () => {
  for (const [protocol, where] of [['webrtc', 'bearer'], ['ws-flv', 'query']]) {
    const from = door.seen.length;
    const { page, look, asked, close } = await open('srs-publisher', { url: `${door.http}/live/p-${protocol}/whip`, protocol }, 'return prefix + n');
    await page.getByRole('button', { name: 'Go live' }).click();
    await until('live', () => look((p) => p.state === 'live'));
    assert.equal(await asked(), 1);
    await page.getByRole('button', { name: 'Stop' }).click();
    await until('the end', () => look((p) => p.state === 'ended'));
    await until('the end at the server', () => protocol !== 'webrtc' || door.seen.slice(from).some(({ method }) => method === 'DELETE'));
    const all = door.seen.slice(from);
    assert.equal(shown(from).length, 1, JSON.stringify(all));
    assert.ok(shown(from)[0][where].startsWith(PREFIX));
    await close();
  }
  // A secret is sent with every request.
  const from = door.seen.length;
  const { page, look, close } = await open('srs-publisher', { url: `${door.http}/live/plain/whip` }, "return 'a plain.secret'");
  await page.getByRole('button', { name: 'Go live' }).click();
  await until('live', () => look((p) => p.state === 'live'));
  await page.getByRole('button', { name: 'Stop' }).click();
  await until('the end at the server', () => door.seen.slice(from).some(({ method, bearer }) => method === 'DELETE' && bearer === 'a plain.secret'));
  await close();
});

test('a refused publisher sees the text of the page, and no field for a secret', LIMIT, async () => {
  const { page, look, close } = await open('srs-publisher', { url: `${door.http}/live/p/whip` }, "throw Object.assign(new Error('Log in to publish.'), { code: 'forbidden' })");
  await page.getByRole('button', { name: 'Go live' }).click();
  await page.getByRole('alert').filter({ hasText: 'Log in to publish.' }).waitFor();
  assert.deepEqual(await look((p) => [p.state, p.error.code, p.stream]), ['error', 'forbidden', null]);
  assert.equal(await page.locator('input[type=password]:visible').count(), 0);
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  await close();
  door.used.set(`${PREFIX}old`, '/');
  const used = await open('srs-publisher', { url: `${door.http}/live/p/whip` }, `return '${PREFIX}old'`);
  await used.page.getByRole('button', { name: 'Go live' }).click();
  await used.page.getByRole('alert').filter({ hasText: 'the token was used before' }).waitFor();
  assert.equal(await used.asked(), 2);
  await used.close();
});
