// Unpacks WordPress from Debian's packages, and the SQLite drop-in from an npm package, in target/tmp/wordpress.
//
// The system does not change: apt uses separate lists, cache and state, and checks signatures with Debian's keyring as
// usual.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The folder that is kept between two runs. */
export const CACHE = new URL('../../../target/tmp/wordpress/', import.meta.url).pathname;

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Packages on which WordPress's package depends, without a web server and a database. */
const PARTS = /^(libjs-|libphp-|php-getid3$|wordpress-)/;
const SQLITE = {
  package: '@wp-playground/cli@3.1.56',
  sha512: 'JTxl6djPEM2YRYz/w+BUoyoCvhSGHIjqMi4fMV1b8o1UPNvZatLaS7opo57UsrVElXrfdZwvi6IuyS4LswUx9Q==',
};

/** The tested versions: the oldest supported one, and the newest available one. */
export const VERSIONS = /** @type {const} */ ({
  oldest: { suites: ['bookworm'], database: 'mariadb' },
  current: { suites: ['sid', 'forky', 'trixie'], database: 'sqlite' },
});

/**
 * Returns the folder of a read-only WordPress.
 * @param {keyof typeof VERSIONS} which
 * @returns {Promise<string>}
 */
export async function wordpress(which) {
  const { suites } = VERSIONS[which];
  const had = suites.map((suite) => join(CACHE, suite)).find((folder) => existsSync(folder));
  if (had) return had;
  const why = [];
  for (const suite of suites) {
    try {
      return await fetchSuite(suite);
    } catch (error) {
      why.push(`${suite}: ${error instanceof Error ? error.message.trim() : error}`);
    }
  }
  throw new Error(`no ${which} WordPress out of Debian's packages\n${why.join('\n')}`);
}

/** The mirror for this machine's own packages. */
function mirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const found = ['/etc/apt/sources.list', ...files].filter((file) => existsSync(file)).flatMap((file) => {
    const text = readFileSync(file, 'utf8').replace(/^#.*/gm, '');
    return [...text.matchAll(/^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(\S+)/gm)].map(([, uri]) => uri);
  }).find((uri) => /\/debian\/?$/.test(uri));
  if (!found) throw new Error('/etc/apt names no Debian mirror: these tests need Debian');
  return found;
}

/** @param {string} suite */
async function fetchSuite(suite) {
  if (!existsSync(KEYRING)) throw new Error(`there is no ${KEYRING} (Debian's package debian-archive-keyring)`);
  const work = join(CACHE, `.${suite}-${process.pid}`);
  const at = (/** @type {string[]} */ ...names) => join(work, ...names);
  try {
    for (const folder of ['lists/partial', 'cache/archives/partial', 'debs', 'root']) mkdirSync(at(folder), { recursive: true });
    writeFileSync(at('sources.list'), `deb [signed-by=${KEYRING}] ${mirror()} ${suite} main\n`);
    const apt = (/** @type {string} */ program, /** @type {string[]} */ ...args) => run(program, [
      ...Object.entries({
        'Dir::Etc::sourcelist': at('sources.list'), 'Dir::Etc::sourceparts': '/dev/null',
        'Dir::Etc::preferencesparts': '/dev/null', 'Dir::State::lists': at('lists'), 'Dir::State::status': '/dev/null',
        'Dir::Cache': at('cache'), 'Acquire::Languages': 'none', 'Acquire::Retries': '3',
        // Metadata for software centres.
        'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
        ...(process.getuid?.() === 0 ? { 'APT::Sandbox::User': 'root' } : {}),
      }).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...args,
    ], { cwd: at('debs'), maxBuffer: 16 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } });
    await apt('apt-get', '-qq', 'update');
    const { stdout } = await apt('apt-cache', 'depends', 'wordpress');
    const parts = [...stdout.matchAll(/^ [ |](?:Depends|Recommends): (\S+)/gm)].map(([, name]) => name);
    const names = ['wordpress', ...new Set(parts.filter((name) => PARTS.test(name)))];
    await apt('apt-get', '-qq', 'download', ...names);
    for (const deb of readdirSync(at('debs'))) await run('dpkg-deb', ['--extract', at('debs', deb), at('root')]);
    const made = at('root/usr/share/wordpress');
    // Links to files that exist only after an installation of the package.
    for (const name of ['.htaccess', 'wp-config.php']) rmSync(join(made, name), { force: true });
    // Replace links to files of other packages by those files.
    cpSync(made, at('wordpress'), { recursive: true, dereference: true });
    for (const folder of ['plugins', 'mu-plugins', 'uploads', 'upgrade', 'languages']) {
      mkdirSync(at('wordpress/wp-content', folder), { recursive: true });
    }
    const to = join(CACHE, suite);
    // Another test may have created the folder meanwhile.
    if (!existsSync(to)) renameSync(at('wordpress'), to);
    return to;
  } catch (error) {
    const { stderr } = /** @type {{ stderr?: string }} */ (error);
    throw new Error(`${error instanceof Error ? error.message : error}\n${stderr ?? ''}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The folder of the plugin that lets WordPress work on SQLite. */
export async function sqlite() {
  const to = join(CACHE, 'sqlite');
  if (existsSync(to)) return to;
  const work = join(CACHE, `.sqlite-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    // This package is not a dependency of the tests, because its own dependencies are a hundred times as large.
    const pack = () => run('npm', ['pack', '--silent', SQLITE.package], { cwd: work });
    // The registry may fail once.
    const { stdout } = await pack().catch(pack);
    const file = join(work, stdout.trim());
    const hash = createHash('sha512').update(readFileSync(file)).digest('base64');
    if (hash !== SQLITE.sha512) throw new Error(`${SQLITE.package} is not what it was: sha512 ${hash}`);
    await run('tar', ['--extract', '--file', file, '--directory', work, 'package/sqlite-database-integration.zip']);
    await run('unzip', ['-q', join(work, 'package/sqlite-database-integration.zip'), '-d', join(work, 'out')]);
    const [folder] = readdirSync(join(work, 'out'));
    if (!existsSync(to)) renameSync(join(work, 'out', folder), to);
    return to;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
