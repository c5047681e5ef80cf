// PHPUnit in every WordPress that the plugin is tested with: `node phpunit.mjs [ARGUMENTS…]`, such as
// `--filter Sanitizer`. Its bootstrap finds WordPress in the folder that LIANMAI_WORDPRESS names.

import { spawnSync } from 'node:child_process';

import { VERSIONS } from './support/packages.mjs';
import { startWordPress } from './support/wordpress.mjs';

const suite = new URL('phpunit/', import.meta.url).pathname;
for (const version of /** @type {(keyof typeof VERSIONS)[]} */ (Object.keys(VERSIONS))) {
  const wordpress = await startWordPress({ version });
  console.log(`\nWordPress ${wordpress.version}`);
  const { status } = spawnSync('phpunit', ['--bootstrap', `${suite}bootstrap.php`, '--no-configuration', ...process.argv.slice(2), suite], {
    stdio: 'inherit', env: { ...process.env, LIANMAI_WORDPRESS: wordpress.files },
  });
  const complaints = wordpress.complaints();
  await wordpress.stop();
  if (complaints.length) console.log(complaints.join('\n'));
  if (status !== 0 || complaints.length) process.exit(1);
}
