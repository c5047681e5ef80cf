// Starts the Worker that mixes.

import { HOME } from '../../net/home.js';

/**
 * Resolves to the running worker; rejects when it cannot start (a content security policy, a missing file).
 * @param {string} base folder of mixer-worker.js; empty: beside this module
 * @returns {Promise<Worker>}
 */
export function startWorker(base) {
  const folder = new URL(base || HOME || import.meta.url, document.baseURI);
  let worker;
  let blob = '';
  if (/^http/.test(folder.protocol) && folder.origin !== location.origin) {
    // A worker's own script must come from the page's origin, but it may import from elsewhere.
    const code = new Blob([`import ${JSON.stringify(new URL('mixer-worker.js', folder).href)};`], { type: 'text/javascript' });
    blob = URL.createObjectURL(code);
    worker = new Worker(blob, { type: 'module' });
  } else if (base || HOME) {
    worker = new Worker(new URL('mixer-worker.js', folder), { type: 'module' });
  } else {
    // Written out: bundlers look for exactly this.
    worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  }
  return new Promise((resolve, reject) => {
    worker.onmessage = () => {
      URL.revokeObjectURL(blob);
      resolve(worker);
    };
    worker.onerror = (event) => {
      worker.terminate();
      reject(new Error(event.message || 'the worker did not start'));
    };
  });
}
