// Starts a real WordPress with the plugin from its zip, on 127.0.0.1, and removes it at the end.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { until } from '../../browser/harness.mjs';
import { mariadb } from './database.mjs';
import { VERSIONS, sqlite, wordpress } from './packages.mjs';
import { freePort, start } from './processes.mjs';

const run = promisify(execFile);
const HERE = new URL('.', import.meta.url).pathname;
const ZIP = process.env.PLUGIN_ZIP ?? new URL('../../../target/dist/lianmai.zip', import.meta.url).pathname;

/** Returns a string literal of PHP. @param {string} text */
const quoted = (text) => `'${text.replace(/['\\]/g, '\\$&')}'`;

/**
 * Starts one.
 * @param {object} [options]
 * @param {keyof typeof VERSIONS} [options.version]
 * @param {string} [options.base] the path of the site in addresses, such as `/blog`
 * @param {string} [options.wasmType] the MIME type of `.wasm` files
 * @param {boolean} [options.network] whether it is a network of sites
 * @param {boolean} [options.active] whether the plugin is activated
 * @param {(php: (...args: string[]) => Promise<{ stdout: string }>, folder: string, url: string) => Promise<unknown>} [options.setup]
 *   installs WordPress in another way
 */
export async function startWordPress({ version = 'current', base = '', wasmType = '', network = false, active = true, setup } = {}) {
  assert.ok(existsSync(ZIP), `there is no ${ZIP}: \`cargo xtask dist\` makes it`);
  const core = await wordpress(version);
  const folder = mkdtempSync(join(tmpdir(), 'lianmai-wordpress-'));
  const root = join(folder, 'root');
  const files = join(root, base);
  /** @type {{ stop: () => Promise<void> }[]} */
  const started = [];
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  // An aborted test must not leave files either.
  process.on('exit', remove);
  const stop = async () => {
    for (const one of started.splice(0).reverse()) await one.stop();
    remove();
    process.off('exit', remove);
  };
  try {
    mkdirSync(dirname(files), { recursive: true });
    // Use hard links: they need no time for the hundred megabytes, and these files are not written.
    await run('cp', ['--archive', '--link', core, files]).catch(() => cpSync(core, files, { recursive: true }));
    await run('unzip', ['-q', ZIP, '-d', join(files, 'wp-content/plugins')]);
    let database = '';
    if (VERSIONS[version].database === 'sqlite') {
      const plugin = join(files, 'wp-content/mu-plugins/sqlite-database-integration');
      cpSync(await sqlite(), plugin, { recursive: true });
      writeFileSync(join(files, 'wp-content/db.php'), readFileSync(join(plugin, 'db.copy'), 'utf8')
        .replaceAll('{SQLITE_IMPLEMENTATION_FOLDER_PATH}', plugin)
        .replaceAll('{SQLITE_PLUGIN}', 'sqlite-database-integration/load.php'));
    } else {
      const server = await mariadb(join(folder, 'database'));
      started.push(server);
      database = `localhost:${server.socket}`;
    }
    const port = await freePort();
    const host = `127.0.0.1:${port}`;
    const url = `http://${host}${base}`;
    const debug = join(folder, 'debug.log');
    const config = (/** @type {Record<string, string | boolean | number>} */ more) => {
      const constants = {
        DB_NAME: 'wordpress', DB_USER: 'root', DB_PASSWORD: '', DB_HOST: database, DB_CHARSET: 'utf8mb4', DB_COLLATE: '',
        WP_HOME: url, WP_SITEURL: url,
        // WordPress may send requests only to itself and to the test, and runs no scheduled tasks.
        WP_HTTP_BLOCK_EXTERNAL: true, WP_ACCESSIBLE_HOSTS: '127.0.0.1', DISABLE_WP_CRON: true, AUTOMATIC_UPDATER_DISABLED: true,
        WP_DEBUG: true, WP_DEBUG_DISPLAY: false, WP_DEBUG_LOG: debug, WP_ENVIRONMENT_TYPE: 'production', FS_METHOD: 'direct',
        ...Object.fromEntries(['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'].flatMap((name) => ['KEY', 'SALT']
          .map((kind) => [`${name}_${kind}`, salts[`${name}_${kind}`] ??= randomBytes(32).toString('base64')]))),
        ...more,
      };
      const lines = Object.entries(constants)
        .map(([name, value]) => `define( ${quoted(name)}, ${typeof value === 'string' ? quoted(value) : value} );`);
      writeFileSync(join(files, 'wp-config.php'), `<?php\n${lines.join('\n')}\n$table_prefix = 'wp_';\n`
        + "if ( ! defined( 'ABSPATH' ) ) {\n\tdefine( 'ABSPATH', __DIR__ . '/' );\n}\nrequire_once ABSPATH . 'wp-settings.php';\n");
    };
    /** @type {Record<string, string>} */
    const salts = {};
    config({});
    const php = (/** @type {string[]} */ ...args) => run('php', ['-d', 'memory_limit=512M', ...args], { maxBuffer: 64 * 1024 * 1024 });
    if (setup) await setup(php, files, url);
    else await php(join(HERE, 'install.php'), files, host);
    if (network) {
      await php(join(HERE, 'network.php'), files, host, `${base}/`);
      config({
        WP_ALLOW_MULTISITE: true, MULTISITE: true, SUBDOMAIN_INSTALL: false, DOMAIN_CURRENT_SITE: host,
        PATH_CURRENT_SITE: `${base}/`, SITE_ID_CURRENT_SITE: 1, BLOG_ID_CURRENT_SITE: 1,
      });
    }

    /**
     * Runs PHP code as the administrator, and returns its result.
     * @param {string} code
     * @param {unknown} [args] values for `$args` in the code
     * @returns {Promise<any>}
     */
    const evaluate = async (code, args = {}) => {
      const running = php(join(HERE, 'run.php'), files, host, JSON.stringify(args));
      running.child.stdin?.end(code);
      const { stdout } = await running;
      const at = stdout.lastIndexOf('\x1e');
      assert.ok(at >= 0, `the code does not return: ${stdout}`);
      return JSON.parse(stdout.slice(at + 1));
    };
    if (active) {
      await evaluate(`$e = activate_plugin( 'lianmai/lianmai.php', '', $args['network'] );
        return is_wp_error( $e ) ? $e : true;`, { network });
    }
    const env = { ...process.env, PHP_CLI_SERVER_WORKERS: '4', BASE: base, WASM_TYPE: wasmType, NETWORK: network ? '1' : '' };
    const server = start('php', ['-d', 'opcache.enable_cli=1', '-d', 'opcache.validate_timestamps=0', '-d', 'memory_limit=256M',
      '-S', host, '-t', root, join(HERE, 'router.php')], { env });
    started.push(server);
    await until('WordPress', async () => {
      server.check();
      return fetch(`${url}/wp-includes/css/buttons.css`).then((response) => response.ok, () => false);
    });
    return {
      url, files, stop,
      version: await evaluate('return get_bloginfo( "version" );'),
      php: evaluate,
      /**
       * Installs a must-use plugin with this code; without code, removes it.
       * @param {string} name
       * @param {string} code
       */
      async plugin(name, code) {
        const file = join(files, 'wp-content/mu-plugins', name);
        if (code) writeFileSync(file, code);
        else rmSync(file, { force: true });
      },
      /**
       * Publishes a post, and returns its address.
       * @param {string} content
       * @param {Record<string, unknown>} [more]
       * @returns {Promise<string>}
       */
      post: (content, more = {}) => evaluate(`$id = wp_insert_post( wp_slash( $args ), true );
        return is_wp_error( $id ) ? $id : get_permalink( $id );`, {
        post_type: 'page', post_status: 'publish', post_title: `Page ${++posts}`, post_content: content, ...more,
      }),
      /**
       * Returns the errors of PHP, without deprecations in an old WordPress, and without its failed requests to
       * wordpress.org.
       */
      complaints: () => (existsSync(debug) ? readFileSync(debug, 'utf8').split(/\n(?=\[)/) : []).filter((line) => line.trim() && !(
        (line.includes('PHP Deprecated:') && !line.includes('since version') && new RegExp(`in ${files}/wp-(admin|includes)/`).test(line))
        || line.includes('could not establish a secure connection to WordPress.org'))),
      log: server.log,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
let posts = 0;
