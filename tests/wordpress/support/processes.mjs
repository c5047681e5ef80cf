// Programs that a test starts. They end with the test, even if it is killed.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
const kill = (/** @type {import('node:child_process').ChildProcess} */ child, /** @type {NodeJS.Signals} */ signal) => {
  try {
    // Kill the group, because PHP's web server has workers.
    process.kill(-(/** @type {number} */ (child.pid)), signal);
  } catch {
    // The process has ended.
  }
};
process.on('exit', () => running.forEach((child) => kill(child, 'SIGKILL')));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => process.exit(1));

/**
 * Starts a program in its own process group.
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export function start(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options });
  let log = '';
  child.stdout?.on('data', (data) => { log += data; });
  child.stderr?.on('data', (data) => { log += data; });
  const ended = new Promise((resolve) => {
    child.on('exit', resolve);
    child.on('error', (error) => resolve(log += error.message));
  });
  running.add(child);
  return {
    log: () => log,
    /** Fails if the program has ended already. */
    check() {
      if (child.exitCode !== null || child.signalCode) throw new Error(`${program} ended: ${log}`);
    },
    async stop() {
      kill(child, 'SIGTERM');
      await ended;
      // Kill busy workers.
      kill(child, 'SIGKILL');
      running.delete(child);
    },
  };
}

/** Returns a free port. @returns {Promise<number>} */
export const freePort = () => new Promise((resolve, reject) => {
  const server = createServer();
  server.on('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    server.close(() => resolve(port));
  });
});
