// Opens the source of a stream: the browser itself, WebRTC, or a pipeline in a Worker or on this thread.

import { isGstreamerWebKit } from '../../net/browser.js';
import { startWorker } from '../../net/start-worker.js';
import { isFlv, isNative, kindOf } from './formats.js';
import { sentence } from './sentences.js';

/** @typedef {import('./sources/messages.js').Request} Request */

/**
 * Receives a stream and passes it to the element.
 * @typedef {object} Source
 * @property {() => void} [start]
 * @property {(message: import('./sources/messages.js').ToSource) => void} post
 * @property {() => void} close
 */

/**
 * Returns how an address is played, or the error code if it cannot be played.
 * @param {string} url
 * @param {import('../../types/attributes.js').Protocol | import('./sources/messages.js').Kind} protocol
 * @returns {{ url: string, kind: import('./sources/messages.js').Kind, code?: undefined } | { kind?: undefined, code: string, message?: string }}
 */
export function choose(url, protocol) {
  let address;
  try {
    address = new URL(url, document.baseURI);
  } catch {
    return { code: 'bad-url' };
  }
  // Browsers do not fetch addresses with credentials.
  if (address.username || address.password) return { code: 'bad-url', message: sentence('credentials') };
  const kind = kindOf(address, protocol);
  return kind ? { url: address.href, kind } : { code: 'unsupported-protocol' };
}

/**
 * Starts the source of a stream.
 * @param {HTMLVideoElement} video
 * @param {Required<import('./player.js').PlayerOptions>} options
 * @param {Pick<Request, 'url' | 'kind' | 'protocol' | 'token'>} chosen
 * @param {import('./sources/messages.js').Report} receive
 * @returns {Promise<Source>}
 */
export async function openSource(video, options, chosen, receive) {
  const { latency, retry, trace, base } = options;
  const rates = !isGstreamerWebKit();
  const native = chosen.protocol === 'auto' && !!video.canPlayType('application/vnd.apple.mpegurl');
  const request = { ...chosen, latency, retry, trace, base, rates, native };
  if (isNative(request.kind)) {
    const { NativeSource } = await import('./sources/native.js');
    return new NativeSource(video, request, receive);
  }
  if (request.kind === 'webrtc') {
    const { Rtc } = await import('./sources/webrtc/rtc.js');
    return new Rtc(request, receive);
  }
  if (request.kind === 'fmp4') {
    const { Fmp4 } = await import('./sources/hls/fmp4/fmp4.js');
    return new Fmp4(video, request, receive);
  }
  return openPipeline(options, request, receive);
}

/**
 * Starts a pipeline.
 * @param {{ base: string, worker: boolean }} options of the player
 * @param {Request} request
 * @param {import('./sources/messages.js').Report} receive
 * @returns {Promise<Source>}
 */
async function openPipeline(options, request, receive) {
  // The page compiles the wasm while the worker starts.
  const flv = isFlv(request.kind);
  const base = options.base && new URL(options.base, document.baseURI);
  // Bundlers recognize this exact expression.
  const wasm = base ? new URL(flv ? 'player_wasm_bg.wasm' : 'player_ts_bg.wasm', base)
    : flv ? new URL('../../player_wasm_bg.wasm', import.meta.url) : new URL('../../player_ts_bg.wasm', import.meta.url);
  const load = /** @type {import('./sources/messages.js').Load} */ ({ ...request, type: 'load', token: !!request.token, wasm: wasm.href });
  const module = WebAssembly.compileStreaming(fetch(wasm)).catch((error) => {
    // The page's content security policy forbids it. A worker has its own policy and tries again.
    if (error instanceof WebAssembly.CompileError) return undefined;
    // Some bundlers and hosts omit files that are not scripts. The script contains the same wasm.
    return (flv ? import('../../flv-inline.js') : import('../../ts-inline.js')).then(({ compile }) => compile()).catch(() => undefined);
  });
  if (options.worker && workerCan()) {
    try {
      // Bundlers recognize this exact expression.
      const beside = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
      const worker = await startWorker('worker.js', base, beside);
      worker.onmessage = ({ data }) => receive(data);
      // The worker cannot continue after such an error.
      worker.onerror = (event) => {
        worker.terminate();
        receive({ type: 'error', code: 'engine', message: event.message });
      };
      worker.postMessage(load);
      module.then((module) => worker.postMessage({ type: 'module', module }));
      return {
        post: (message) => worker.postMessage(message),
        close: () => worker.terminate(),
      };
    } catch (error) {
      receive({ type: 'warning', code: 'no-worker', message: String(error) });
    }
  }
  const { Pipeline } = await import('./pipeline.js');
  const pipeline = new Pipeline(receive);
  pipeline.receive(load);
  pipeline.receive({ type: 'module', module: await module });
  return { post: (message) => pipeline.receive(message), close: () => pipeline.close() };
}

/** Returns whether this browser supports MediaSource in a Worker. */
function workerCan() {
  const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
  return typeof Worker === 'function' && Source?.canConstructInDedicatedWorker;
}
