// compose.yaml without containers: its gateway's settings, and its set-up of WordPress, between the same programs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { parse } from 'yaml';

import { LIMIT, until } from '../browser/harness.mjs';
import { player, startSite } from './support/site.mjs';

const run = promisify(execFile);
const ROOT = new URL('../../', import.meta.url).pathname;
const { services } = parse(readFileSync(`${ROOT}compose.yaml`, 'utf8'), { merge: true });

/** Fills in a text as Compose does: ${NAME:-default}, ${NAME:?error}. @param {string} text @param {Record<string, string>} values */
const filled = (text, values) => text.replace(/\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g, (_, name, otherwise) => values[name] ?? otherwise);

describe('compose.yaml', LIMIT, () => {
  /** @type {Awaited<ReturnType<typeof startSite>>} */
  let site;
  /** @type {(() => Promise<{ stdout: string }>) | undefined} */
  let again;

  before(async () => {
    const [program, script, ...args] = services.setup.entrypoint;
    assert.equal(program, 'php');
    const file = services.setup.volumes.map((/** @type {string} */ one) => one.split(':')).find((/** @type {string[]} */ [, to]) => to === script);
    site = await startSite({
      active: false,
      jwks: false,
      setup: async (php, folder, url) => {
        const values = { SITE: url, WORDPRESS_PASSWORD: 'password' };
        const variables = Object.entries(services.setup.environment).map(([name, text]) => [name, filled(String(text), values)]);
        const env = Object.fromEntries(variables.filter(([name]) => name in values));
        assert.deepEqual(env, values, 'the set-up gets the site and the password');
        again = async () => {
          for (const [name, value] of Object.entries(values)) process.env[name] = value;
          return php(`${ROOT}${file[0]}`, ...args.map(() => folder));
        };
        const { stdout } = await again();
        assert.match(stdout, /ready at http:.*\/live\//);
      },
      // A setting is a flag and a variable.
      flags: (url) => Object.entries(services.gateway.environment).flatMap(([name, value]) => [
        `--${name.replace(/^LIANMAI_/, '').toLowerCase().replaceAll('_', '-')}`,
        filled(String(value), { SITE: url }).replace('http://wordpress', url),
      ]),
    });
    // What the container's wp-config.php gets.
    const extra = filled(services.wordpress.environment.WORDPRESS_CONFIG_EXTRA, { GATEWAY: site.http });
    await site.plugin('config-extra.php', `<?php\n${extra}`);
  });
  after(() => site?.stop());

  it('passes the linter', async () => {
    await run('node_modules/.bin/dclint', ['--max-warnings', '0', '--config', 'compose-lint.json', `${ROOT}compose.yaml`], { cwd: `${ROOT}tests` });
  });

  it('shows a new WordPress, whose first visitor could install it, to this machine only', () => {
    for (const [name, { ports = [] }] of Object.entries(services)) {
      for (const port of name === 'gateway' ? [] : ports) assert.match(port, /^127\.0\.0\.1:/, name);
    }
    assert.equal(services.wordpress.ports.length, 1);
  });

  it('names files that exist, and the address of the gateway', async () => {
    assert.equal(await site.php('return Lianmai\\Settings::server_is_fixed() ? Lianmai\\Settings::server() : "";'), site.http);
    assert.match((await again?.())?.stdout ?? '', /is installed/, 'a second start changes nothing');
  });

  it('has a page on which the administrator goes live and visitors watch', async () => {
    const { page, complaints } = await site.as('admin');
    await page.goto(`${site.url}/live/`);
    await page.getByRole('button', { name: 'Go live' }).click();
    await until('on air', () => site.onAir('live/livestream'));
    const viewer = await site.as('visitor');
    await viewer.page.goto(`${site.url}/live/`);
    await viewer.page.getByRole('button', { name: 'Play' }).click();
    await player(viewer.page).moves();
    assert.equal(await viewer.page.getByRole('button', { name: 'Go live' }).count(), 0);
    assert.deepEqual(complaints(), []);
  });
});
