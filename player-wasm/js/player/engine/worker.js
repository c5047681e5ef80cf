// Runs the pipeline in a Worker.

import { Pipeline } from './pipeline.js';

/** @typedef {{ postMessage: (message: import('./sources/messages.js').FromSource | { type: 'ready' }, transfer?: Transferable[]) => void, onmessage: unknown }} Scope */

const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
const pipeline = new Pipeline((message, transfer = []) => scope.postMessage(message, transfer));
scope.onmessage = (/** @type {MessageEvent<import('./sources/messages.js').ToPipeline>} */ { data }) => pipeline.receive(data);
scope.postMessage({ type: 'ready' });
