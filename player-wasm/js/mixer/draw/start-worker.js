// Starts the Worker that mixes.

import { HOME } from '../../net/home.js';
import { startWorker as start } from '../../net/start-worker.js';

/**
 * Resolves to the running worker. Rejects if it cannot start (a content security policy, a missing file).
 * @param {string} base folder of mixer-worker.js; empty: beside this module
 * @returns {Promise<Worker>}
 */
export function startWorker(base) {
  // Bundlers recognize this exact expression.
  const beside = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  return start('mixer-worker.js', base ? new URL(base, document.baseURI) : HOME, beside);
}
