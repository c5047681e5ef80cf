// Loads the wasm and creates its engine.

/** @typedef {import('../../player_wasm.js').CodecName} CodecName */

const video = (/** @type {string} */ codec) => `video/mp4; codecs="${codec}"`;
const audio = (/** @type {string} */ codec) => `audio/mp4; codecs="${codec}"`;
/** A MIME type for each codec, to ask MediaSource for support. A stream with an unusual profile may still not play. @type {Record<CodecName, string>} */
const CODECS = {
  'H.264': video('avc1.42e01e'),
  'H.265': video('hvc1.1.6.L93.B0'),
  AV1: video('av01.0.04M.08'),
  VP8: video('vp08.00.10.08'),
  VP9: video('vp09.00.10.08'),
  AAC: audio('mp4a.40.2'),
  Opus: audio('opus'),
  MP3: audio('mp4a.6B'),
};

/**
 * Creates an engine for the codecs that this browser supports.
 * @param {import('./sources/messages.js').Load} request
 * @param {Promise<WebAssembly.Module | undefined>} compiled
 * @param {typeof MediaSource} Source
 */
export async function loadEngine(request, compiled, Source) {
  const { kind, wasm } = request;
  const flv = /flv/.test(kind);
  const [{ default: init, Engine }, module] = await Promise.all([flv ? import('../../player_wasm.js') : import('../../player_ts.js'), compiled]);
  const { memory } = await init({ module_or_path: module ?? wasm });
  const engine = new Engine(/** @type {import('../../player_wasm.js').StreamFormat} */ (flv ? 'flv' : kind), request.latency);
  for (const codec of /** @type {CodecName[]} */ (Object.keys(CODECS))) {
    if (Source.isTypeSupported(CODECS[codec])) engine.allow(codec);
  }
  return { engine, memory };
}
