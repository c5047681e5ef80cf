// A private MariaDB: its data in a folder, its socket beside it, no network.

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { until } from '../../browser/harness.mjs';
import { start } from './processes.mjs';

const run = promisify(execFile);

/**
 * Starts MariaDB with an empty database `wordpress`.
 * @param {string} folder
 */
export async function mariadb(folder) {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  // MariaDB does not run as root without this flag.
  const options = ['--no-defaults', `--datadir=${data}`, ...(process.getuid?.() === 0 ? ['--user=root'] : [])];
  // The data need not be durable.
  const fast = ['--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=32M', '--innodb-log-file-size=4M'];
  await run('mariadb-install-db', [...options, ...fast, '--auth-root-authentication-method=normal', '--skip-test-db']);
  const socket = join(folder, 'socket');
  const server = start('mariadbd', [...options, ...fast, `--socket=${socket}`, `--pid-file=${join(folder, 'pid')}`, '--skip-networking']);
  const create = `$c = mysqli_init(); exit($c->real_connect(null, "root", "", null, 0, $argv[1])
    && $c->query("CREATE DATABASE wordpress CHARACTER SET utf8mb4") ? 0 : 1);`;
  await until('the database', async () => {
    server.check();
    return run('php', ['-d', 'display_errors=0', '-r', create, socket]).then(() => true, () => false);
  });
  return { socket, stop: server.stop };
}
