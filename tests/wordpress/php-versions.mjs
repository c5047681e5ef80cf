// `php -l` of every PHP file of the plugin with the oldest and the newest PHP it is for, which come compiled to
// WebAssembly: `node php-versions.mjs`. Deprecations count as errors.

import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

import { getPHPLoaderModule as oldest } from '@php-wasm/node-7-4';
import { getPHPLoaderModule as newest } from '@php-wasm/node-8-5';
import { PHP, loadPHPRuntime } from '@php-wasm/universal';

const PLUGIN = new URL('../../wp-plugin/', import.meta.url).pathname;
/** Code for PHP 8.0, to test the check: the older version must report an error. */
const TOO_NEW = '<?php echo match ( 1 ) { default => 2 };';
/** Code that PHP 8 does not support. */
const TOO_OLD = '<?php echo (real) 1;';

/**
 * Returns the message of `php -l` about a file; empty if there is none.
 * @param {Awaited<ReturnType<typeof oldest>>} loader
 * @param {string} code
 */
async function lint(loader, code) {
  // A runtime can run one command only.
  const php = new PHP(await loadPHPRuntime(loader));
  try {
    php.writeFile('/file.php', code);
    const said = await php.cli(['php', '-d', 'display_errors=stdout', '-d', 'log_errors=0', '-d', 'error_reporting=-1', '-l', '/file.php']);
    const words = (await said.stdoutText).trim();
    return await said.exitCode === 0 && words === 'No syntax errors detected in /file.php' ? '' : words || 'PHP said nothing';
  } finally {
    php.exit();
  }
}

const files = readdirSync(PLUGIN, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.php')).sort();
if (!files.includes('lianmai.php')) throw new Error(`no plugin in ${PLUGIN}`);
let complaints = 0;
for (const [version, load, wrong] of /** @type {const} */ ([['7.4', oldest, TOO_NEW], ['8.5', newest, TOO_OLD]])) {
  const loader = await load();
  if (!await lint(loader, wrong)) throw new Error(`PHP ${version} takes what it cannot know`);
  for (const name of files) {
    const words = await lint(loader, readFileSync(join(PLUGIN, name), 'utf8'));
    if (words) {
      complaints++;
      console.error(`PHP ${version}: ${relative('.', join(PLUGIN, name))}: ${words.replace(/\s+/g, ' ')}`);
    }
  }
  console.log(`PHP ${version}: ${files.length} files`);
}
process.exit(complaints ? 1 : 0);
