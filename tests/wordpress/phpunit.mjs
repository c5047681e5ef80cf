// PHPUnit in every WordPress that the plugin is tested with: `node phpunit.mjs [ARGUMENTS…]`, such as
// `--filter Sanitizer`. Its bootstrap finds WordPress in the folder that LIANMAI_WORDPRESS names.

import { spawnSync } from 'node:child_process';

import { VERSIONS } from './support/packages.mjs';
import { startWordPress } from './support/wordpress.mjs';

const suite = new URL('phpunit/', import.meta.url).pathname;
const versions = /** @type {(keyof typeof VERSIONS)[]} */ (Object.keys(VERSIONS));
// NetworkTest.php is for networks only, and is skipped on a single site.
const runs = [...versions.map((version) => ({ version, network: false })), { version: versions[0], network: true }];
for (const { version, network } of runs) {
  const wordpress = await startWordPress({ version, network });
  console.log(`\nWordPress ${wordpress.version}${network ? ', a network' : ''}`);
  const tests = network ? `${suite}NetworkTest.php` : suite;
  const { status } = spawnSync('phpunit', ['--bootstrap', `${suite}bootstrap.php`, '--no-configuration', ...process.argv.slice(2), tests], {
    stdio: 'inherit', env: { ...process.env, LIANMAI_WORDPRESS: wordpress.files },
  });
  const complaints = wordpress.complaints();
  await wordpress.stop();
  if (complaints.length) console.log(complaints.join('\n'));
  if (status !== 0 || complaints.length) process.exit(1);
}
