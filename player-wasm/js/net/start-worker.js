// Starts a Worker of the package.

/**
 * Resolves to the running worker. Rejects if it cannot start (a content security policy, a missing file).
 * @param {string} name of its script
 * @param {URL | string} base absolute address of the script's folder; empty: beside the published module with this code
 * @param {() => Worker} beside creates the worker from the script beside the module
 * @returns {Promise<Worker>}
 */
export function startWorker(name, base, beside) {
  // Bundlers replace import.meta.url by a file: address, which is not the address of the script.
  const script = new URL(name, base || import.meta.url);
  let blob = '';
  if (/^http/.test(script.protocol) && script.origin !== location.origin) {
    // The script of a worker must come from the page's origin, but it may import from another origin. If a bundler
    // has renamed the files, the worker does not start, and the caller does the work on the page's thread.
    blob = URL.createObjectURL(new Blob([`import ${JSON.stringify(script.href)};`], { type: 'text/javascript' }));
  }
  const worker = blob || base ? new Worker(blob || script, { type: 'module' }) : beside();
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
