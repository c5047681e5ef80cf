// nats-server, the bus of a cluster.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../harness.mjs';

/** Starts a server on a free port. */
export async function startNats() {
  const folder = mkdtempSync(join(tmpdir(), 'nats-'));
  const child = spawn('nats-server', ['--addr', '127.0.0.1', '--port', '-1', '--ports_file_dir', folder], { stdio: 'ignore' });
  const url = await until('the ports of nats-server', () => {
    if (child.exitCode !== null) throw new Error(`nats-server ended with ${child.exitCode}`);
    try {
      const ports = JSON.parse(readFileSync(join(folder, `nats-server_${child.pid}.ports`), 'utf8'));
      return String(ports.nats[0]);
    } catch {
      // Not written, or not complete.
      return null;
    }
  });
  const stop = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, stop };
}
