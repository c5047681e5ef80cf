// Runs the pipeline in a Worker.

import { Pipeline } from './pipeline.js';

const scope = /** @type {any} */ (globalThis);
const pipeline = new Pipeline((message, transfer = []) => scope.postMessage(message, transfer));
scope.onmessage = (/** @type {MessageEvent} */ { data }) => pipeline.receive(data);
scope.postMessage({ type: 'ready' });
