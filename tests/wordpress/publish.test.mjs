// Publishing: rights, tickets, and the arrival of the stream.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from '../browser/harness.mjs';
import { SECRET, axe, onSites, player, ticket } from './support/site.mjs';

const run = promisify(execFile);

onSites('publishing', ['oldest', 'current'], { settings: { kind: 'lianmai' } }, (site, scenario) => {
  /** @type {Record<string, string>} */
  const pages = {};
  /** Returns the page of a stream. @param {string} stream */
  const pageOf = async (stream) => pages[stream] ??= await site.post(`[srs_publisher stream="${stream}"]\n\n[srs_player stream="${stream}" autoplay="false"]`);
  /** Returns the part of a page from the plugin: the HTML of the post, and the scripts. @param {string} html */
  const ours = (html) => [...html.matchAll(/<div class="lianmai.*?<\/div>|<script[^>]*lianmai[^]*?<\/script>|<link[^>]*lianmai[^>]*>/g)].map(([one]) => one);

  for (const role of /** @type {const} */ (['visitor', 'subscriber', 'contributor'])) {
    scenario(`a ${role} sees no publisher and gets no token`, async () => {
      const url = await pageOf('live/a');
      const { page, complaints, post, nonce } = await site.as(role);
      const asked = page.waitForResponse((response) => response.url().includes('rest-nonce'));
      await page.goto(url);
      await asked;
      await page.getByRole('button', { name: 'Play' }).waitFor();
      assert.deepEqual(await axe(page, '.lianmai'), []);
      const html = await page.content();
      const bound = ticket(html);
      const known = await nonce();
      for (const one of [undefined, known, 'deadbeef00']) {
        const may = await post('may', { ticket: bound }, one);
        assert.notEqual(may.may, true, JSON.stringify(may));
        const { status, token } = await post('token', { ticket: bound }, one);
        assert.ok([401, 403].includes(status), `${status} with the nonce ${one}`);
        assert.equal(token, undefined);
      }
      await page.waitForLoadState('networkidle');
      assert.equal(await page.getByRole('button', { name: 'Go live' }).count(), 0);
      assert.equal(await page.locator('.lianmai-publisher').isVisible(), false);
      assert.deepEqual(complaints(), []);
    });
  }

  for (const role of /** @type {const} */ (['author', 'editor'])) {
    scenario(`an ${role} goes live by one press, and others see and hear it`, async () => {
      const stream = `live/${role}`;
      const url = await pageOf(stream);
      const { page, complaints } = await site.as(role);
      await page.goto(url);
      // The box names its stream, and is shown to people who may publish.
      await page.getByText(`Goes live as ${stream}. Only people who may publish see this box.`).waitFor();
      await page.getByRole('button', { name: 'Go live' }).click();
      await until('on air', () => site.onAir(stream));
      const viewer = await site.as('visitor');
      await viewer.page.goto(url);
      await viewer.page.getByRole('button', { name: 'Play' }).click();
      const watched = player(viewer.page);
      await watched.moves();
      await watched.sounds();
      if (role === 'author') {
        const { stdout } = await run('ffprobe', ['-v', 'error', '-read_intervals', '%+2', '-show_entries', 'stream=codec_type,codec_name',
          '-of', 'json', `${site.http}/${stream}.flv`]);
        const kinds = JSON.parse(stdout).streams.map((one) => one.codec_type).sort();
        assert.deepEqual(kinds, ['audio', 'video']);
        assert.deepEqual(await axe(viewer.page, '.lianmai-player'), []);
        assert.deepEqual(await axe(page, '.lianmai-publisher'), []);
      }
      await page.evaluate(() => /** @type {any} */ (document.querySelector('srs-publisher')).stop());
      await until('off air', async () => !(await site.onAir(stream)));
      assert.deepEqual([...complaints(), ...viewer.complaints()], []);
    });
  }

  scenario('who is live stays so when the page is edited and the server starts again', async () => {
    const stream = 'live/edited';
    const url = await pageOf(stream);
    const { page } = await site.as('author');
    await page.goto(url);
    await page.getByRole('button', { name: 'Go live' }).click();
    await until('on air', () => site.onAir(stream));
    const old = await page.locator('srs-publisher').getAttribute('data-ticket');
    await site.php(`return wp_update_post( array( 'ID' => url_to_postid( $args ), 'post_content' => 'More. [srs_publisher stream="live/edited"]' ) );`, url);
    const again = await site.kill();
    await page.waitForFunction(() => /** @type {any} */ (document.querySelector('srs-publisher')).state === 'reconnecting');
    await again();
    await until('on air again', () => site.onAir(stream));
    assert.notEqual(await page.locator('srs-publisher').getAttribute('data-ticket'), old);
    // The script must not request the ticket of a removed element forever.
    await site.php(`return wp_update_post( array( 'ID' => url_to_postid( $args ), 'post_content' => 'Over.' ) );`, url);
    const third = await site.kill();
    await third();
    await page.waitForFunction(() => /** @type {any} */ (document.querySelector('srs-publisher')).state === 'error');
    assert.match(await page.evaluate(() => /** @type {any} */ (document.querySelector('srs-publisher')).error.message), /out of date/);
  });

  scenario('the publisher asks for nothing before it is pressed', async () => {
    const { page } = await site.as('author');
    await page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('asked'));
      Object.assign(window, { opened: 0 });
      navigator.mediaDevices.enumerateDevices = async () => { /** @type {any} */ (window).opened++; return []; };
    });
    await page.goto(await pageOf('live/a'));
    await page.getByRole('button', { name: 'Go live' }).waitFor();
    assert.equal(await page.evaluate('window.opened'), 0);
  });

  scenario('a token starts one publisher, soon, of the stream that it names', async () => {
    const html = await (await fetch(await pageOf('live/a'))).text();
    const { page, post, nonce } = await site.as('author');
    await page.goto(await pageOf('live/a'));
    const known = await nonce();
    const mint = async () => {
      const answer = await post('token', { ticket: ticket(html) }, known);
      assert.equal(answer.status, 200, JSON.stringify(answer));
      return answer.token;
    };
    // A token needs a ticket and a nonce.
    assert.equal((await post('token', { ticket: ticket(html) })).status, 401);
    assert.ok((await post('token', { ticket: `${ticket(html)}x` }, known)).status >= 400);
    const offer = await page.evaluate(async () => {
      const peer = new RTCPeerConnection();
      for (const kind of ['audio', 'video']) peer.addTransceiver(kind, { direction: 'sendonly' });
      const { sdp } = await peer.createOffer();
      peer.close();
      return sdp;
    });
    const whip = async (/** @type {string} */ stream, /** @type {string} */ token) => {
      const headers = { 'content-type': 'application/sdp', ...(token && { authorization: `Bearer ${token}` }) };
      const answer = await fetch(`${site.http}/${stream}/whip`, { method: 'POST', headers, body: offer });
      const text = await answer.text();
      const location = answer.headers.get('location');
      if (location) await fetch(new URL(location, site.http), { method: 'DELETE', headers });
      return `${answer.status} ${answer.ok ? '' : text}`;
    };
    const refused = async (/** @type {string} */ what, /** @type {Promise<string>} */ answer) => assert.match(await answer, /^40[13] ./, what);
    const first = await mint();
    assert.match(await whip('live/a', first), /^201/);
    await refused('used', whip('live/a', first));
    await refused('of another stream', whip('live/b', await mint()));
    const at = (/** @type {number} */ seconds) => site.php(
      `return Lianmai\\Token::mint( get_user_by( 'login', 'author' )->ID, 'live/a', 'publish', time() + $args );`, seconds);
    await refused('late', whip('live/a', await at(-70)));
    await refused('from the future', whip('live/a', await at(60)));
    assert.match(await whip('live/a', await at(3)), /^201/, 'clocks differ a little');
    await refused('to play', whip('live/a', await site.php(`return Lianmai\\Token::mint( 1, 'live/a', 'play' );`)));
    const [head, claims, signature] = (await mint()).split('.');
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(String(Buffer.from(claims, 'base64url'))), stream: 'live/b' })).toString('base64url');
    await refused('changed', whip('live/b', `${head}.${forged}.${signature}`));
    await refused('none', whip('live/a', ''));
  });

  scenario('roles and users of a publisher narrow who may', async () => {
    const url = await site.post('[srs_publisher stream="live/narrow" roles="editor" users="admin"]');
    const html = await (await fetch(url)).text();
    for (const [role, may] of /** @type {const} */ ([['author', false], ['editor', true], ['admin', true]])) {
      const { post, nonce } = await site.as(role);
      assert.equal((await post('may', { ticket: ticket(html) }, await nonce())).may, may, role);
    }
  });

  scenario('no page holds a secret, and its players are the same for everybody', async () => {
    const url = await site.post('[srs_publisher stream="live/a"]\n\n[srs_player stream="live/a"]\n\n'
      + `[srs_player url="${site.http}/live/a.flv?secret=${SECRET}&amp;vhost=x"]`);
    const id = await site.php('return url_to_postid( $args );', url);
    const key = (await site.php(`return (string) wp_json_encode( get_option( 'lianmai_key' ) );`)).match(/"secret":"([^"]+)"/)?.[1];
    assert.ok(key?.length > 40, 'the key has a secret half');
    await site.php(`Lianmai\\Settings::keep_secret( $args ); return true;`, SECRET);
    assert.equal(await site.php('return Lianmai\\Settings::secret();'), SECRET);
    /** @type {Record<string, string[]>} */
    const parts = {};
    for (const role of /** @type {const} */ (['visitor', 'subscriber', 'contributor', 'author', 'editor', 'admin'])) {
      const { request } = await site.as(role);
      const html = await (await request.get(url)).text();
      const sources = { front: html };
      // Editors can read the source of a post. Site Health reports the secret.
      for (const path of ['/wp-admin/', '/wp-admin/options-general.php?page=lianmai', '/wp-admin/profile.php', '/wp-admin/site-health.php', `/wp-json/wp/v2/pages/${id}`, '/wp-json/', '/wp-json/lianmai/v1/jwks', '/feed/', '/wp-json/wp/v2/settings']) {
        Object.assign(sources, { [path]: await (await request.get(site.url + path)).text() });
      }
      for (const [path, source] of Object.entries(sources)) {
        assert.equal(source.includes(SECRET), false, `${path} tells the ${role} the secret`);
        assert.equal(source.includes(key), false, `${path} tells the ${role} the key`);
      }
      parts[role] = ours(html);
      assert.ok(parts[role].length >= 4, JSON.stringify(parts[role]));
      assert.deepEqual(parts[role], parts.visitor, `what the ${role} gets differs`);
      assert.doesNotMatch(parts[role].join(), /nonce"?\s*[:=]\s*"?[0-9a-f]{10}\b/);
    }
    const { request } = await site.as('visitor');
    assert.doesNotMatch(await (await request.get(url)).text(), /nonce"?\s*[:=]\s*"?[0-9a-f]{10}\b/);
  });
});
