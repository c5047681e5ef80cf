// The page's end of the picture: in a Worker where this browser gives and takes single frames, else on the page.

import { startWorker } from './start-worker.js';

/** @typedef {import('./messages.js').ToMix} ToMix */
/** @typedef {import('./messages.js').FromMix} FromMix */
/** @typedef {{ width: number, height: number, rate: number, base: string }} PaintOptions */
/** @typedef {{ track: MediaStreamTrack, post: (message: ToMix) => void, use: (id: string, track: MediaStreamTrack | null) => void, close: () => void }} Painter */

/**
 * Starts to draw.
 * @param {PaintOptions} options
 * @param {(count: Extract<FromMix, { type: 'count' }>) => void} oncount ten times a second
 * @param {(why: string) => void} onfail the worker has failed
 * @returns {Promise<Painter>}
 */
export async function startPainting(options, oncount, onfail) {
  const worker = await startWorker(options.base).catch(() => null);
  const { MediaStreamTrackProcessor: Processor, MediaStreamTrackGenerator: Generator } = globalThis;
  if (worker) worker.onerror = ({ message }) => onfail(message);
  if (worker && Processor && Generator) return inWorker(worker, Processor, new Generator({ kind: 'video' }), options, oncount);
  const { PagePainter } = await import('./page-painter.js');
  return new PagePainter(options, worker, oncount);
}

/**
 * The worker reads the frames of the inputs and writes those of the mix: none of them passes the page's thread.
 * @param {Worker} worker
 * @param {NonNullable<typeof MediaStreamTrackProcessor>} Processor
 * @param {MediaStreamTrackGenerator} track
 * @param {PaintOptions} options
 * @param {(count: Extract<FromMix, { type: 'count' }>) => void} oncount
 * @returns {Painter}
 */
function inWorker(worker, Processor, track, { width, height, rate }, oncount) {
  const post = (/** @type {ToMix} */ message, /** @type {Transferable[]} */ transfer = []) => worker.postMessage(message, transfer);
  worker.onmessage = (/** @type {MessageEvent<FromMix>} */ { data }) => { if (data.type === 'count') oncount(data); };
  const { writable } = track;
  post({ type: 'start', width, height, rate, writable }, [writable]);
  return {
    track,
    post,
    use: (id, of) => {
      if (!of) return post({ type: 'track', id });
      const { readable } = new Processor({ track: of });
      return post({ type: 'track', id, readable }, [readable]);
    },
    close: () => {
      track.stop();
      post({ type: 'stop' });
      // It closes the frames first.
      setTimeout(() => worker.terminate(), 1000);
    },
  };
}
