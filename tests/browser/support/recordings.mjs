// Recordings that ffmpeg creates once from its test sources in target/tmp, and a server that serves them in all the ways
// of real servers.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';

import { bytes, clip, header } from './clips.mjs';

const ROOT = new URL('../../../', import.meta.url).pathname;
const DIST = join(ROOT, 'player-wasm/dist');
/** Change its last part if the recordings below change. */
const FOLDER = join(ROOT, 'target/tmp/lianmai/recordings-3');
const TYPES = {
  '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html', '.m3u8': 'application/vnd.apple.mpegurl',
  '.ts': 'video/mp2t', '.flv': 'video/x-flv', '.aac': 'audio/aac', '.m4s': 'video/iso.segment', '.mp4': 'video/mp4',
};
export const SECONDS = 60;

const picture = (size, rate, seconds) => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`];
const tone = (rate, seconds) => ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${rate}:duration=${seconds}`];
const x264 = (gop, rate = '200k') => ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', `${gop}`,
  '-keyint_min', `${gop}`, '-sc_threshold', '0', '-b:v', rate, '-maxrate', rate, '-bufsize', rate];
const aac = (channels = 2) => ['-c:a', 'aac', '-b:a', '64k', '-ac', `${channels}`];
const list = (name, ...more) => ['-f', 'hls', '-hls_time', '2', '-hls_list_size', '0', '-hls_playlist_type', 'vod', ...more,
  '-hls_segment_filename', `${name}/s%d.${more.includes('fmp4') ? 'm4s' : 'ts'}`, `${name}/index.m3u8`];

/** Converts the frames of an IVF file to enhanced FLV tags. @param {Buffer} ivf @param {number} rate */
function vp8(ivf, rate) {
  const tag = (kind, time, data) => ({ type: 9, time, config: false, key: false, body: Buffer.concat([Buffer.from([kind]), Buffer.from('vp08'), data]) });
  // Sequence start: vpcC. Then coded frames, of which key frames have a lowest bit of 0.
  const tags = [tag(0x90, 0, Buffer.from([1, 0, 0, 0, 0, 10, 0x82, 2, 2, 2, 0, 0]))];
  for (let at = 32, n = 0; at + 12 <= ivf.length; n++) {
    const size = ivf.readUInt32LE(at);
    const data = ivf.subarray(at + 12, at + 12 + size);
    tags.push(tag(data[0] & 1 ? 0xa1 : 0x91, Math.round(n * 1000 / rate), data));
    at += 12 + size;
  }
  return tags;
}

/** Makes the missing files. */
function make() {
  if (existsSync(FOLDER)) return;
  const folder = `${FOLDER}.${process.pid}`;
  const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const name of ['long', 'ad', 'small', 'big', 'fmp4', 'video', 'audio', 'aes', 'packed', 'ac3']) mkdirSync(join(folder, name), { recursive: true });
  const usual = [...picture('320x180', 15, SECONDS), ...tone(48_000, SECONDS), ...x264(15), ...aac()];
  ffmpeg(...usual, ...list('long'));
  ffmpeg('-i', 'long/index.m3u8', '-c', 'copy', '-bsf:a', 'aac_adtstoasc', 'long.flv');
  // An advertisement with another size, rate and audio, in audio packets of almost a second.
  ffmpeg(...picture('480x270', 25, 6), ...tone(22_050, 6), ...x264(50), '-c:a', 'aac', '-ac', '1', '-b:a', '24k', ...list('ad'));
  ffmpeg(...picture('256x144', 15, 20), ...tone(48_000, 20), ...x264(30, '150k'), ...aac(), ...list('small'));
  ffmpeg(...picture('1280x720', 15, 20), ...tone(48_000, 20), ...x264(30, '2500k'), '-minrate', '2500k', '-nal-hrd', 'cbr', ...aac(), ...list('big'));
  ffmpeg('-i', 'small/index.m3u8', '-c', 'copy', '-bsf:a', 'aac_adtstoasc', ...list('fmp4', '-hls_segment_type', 'fmp4'));
  // The same with a playlist for each track.
  for (const [name, map] of [['video', '0:v'], ['audio', '0:a']]) {
    ffmpeg('-i', 'small/index.m3u8', '-map', map, '-c', 'copy', ...(name === 'audio' ? ['-bsf:a', 'aac_adtstoasc'] : []), ...list(name, '-hls_segment_type', 'fmp4'));
  }
  writeFileSync(join(folder, 'aes/key'), Buffer.alloc(16, 7));
  writeFileSync(join(folder, 'aes/info'), 'key\naes/key\n');
  ffmpeg('-i', 'small/index.m3u8', '-c', 'copy', ...list('aes', '-hls_key_info_file', 'aes/info'));
  ffmpeg(...tone(48_000, 8), ...aac(), '-f', 'segment', '-segment_time', '2', '-segment_format', 'adts', '-segment_list', 'packed/index.m3u8', '-segment_list_size', '0', 'packed/s%d.aac');
  ffmpeg(...picture('256x144', 15, 8), ...tone(48_000, 8), ...x264(30), '-c:a', 'ac3', '-b:a', '96k', ...list('ac3'));
  // 5.1 with side channels has no channel configuration, but a program config element.
  ffmpeg(...picture('256x144', 15, 8), '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=8,pan=5.1(side)|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0',
    ...x264(15), '-c:a', 'aac', '-b:a', '192k', 'pce.flv');
  ffmpeg(...picture('256x144', 15, 8), '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=8,pan=quad|c0=c0|c1=c0|c2=c0|c3=c0',
    ...x264(15), '-c:a', 'aac', '-b:a', '192k', 'quad.flv');
  ffmpeg(...picture('256x144', 15, 8), ...tone(44_100, 8), ...x264(15), '-c:a', 'libmp3lame', '-b:a', '64k', 'mp3.flv');
  // ffmpeg cannot write VP8 into FLV.
  ffmpeg(...picture('256x144', 15, 8), '-c:v', 'libvpx', '-deadline', 'realtime', '-g', '15', 'vp8.ivf');
  const video = vp8(readFileSync(join(folder, 'vp8.ivf')), 15);
  const audio = clip({ video: false, seconds: 8 }).tags;
  for (const [name, tags] of [['vp8', [...audio, ...video]], ['vp8-alone', video]]) {
    const file = Buffer.concat([header({ audio: tags !== video, video: true }), ...tags.sort((a, b) => a.time - b.time).map((tag) => bytes(tag))]);
    writeFileSync(join(folder, `${name}.flv`), file);
  }
  rmSync(FOLDER, { recursive: true, force: true });
  renameSync(folder, FOLDER);
}

/** Returns the segments of a playlist, each with its `#EXTINF` line. @param {string} name */
export function segments(name) {
  const lines = readFileSync(join(FOLDER, name, 'index.m3u8'), 'utf8').split('\n');
  return lines.flatMap((line, n) => (line.startsWith('#EXTINF') ? [`${line}\n/${name}/${lines[n + 1]}`] : []));
}

/** Returns a playlist of such segments and other lines. @param {string[]} lines @param {string} [end] */
export const playlist = (lines, end = '#EXT-X-ENDLIST') =>
  ['#EXTM3U', '#EXT-X-VERSION:8', '#EXT-X-TARGETDURATION:4', ...lines, end, ''].join('\n');

/**
 * Starts it. `answer` scripts paths: a text is a playlist, a number a status, a function gets request and response.
 * `/slow/KBPS/…` comes at that speed, `/gzip/…` without a length, `/live/NAME?window=SECONDS` as a live window.
 */
export async function startRecordings() {
  make();
  const answers = new Map();
  /** @type {{ path: string, range?: string }[]} */
  const requests = [];
  const page = '<!doctype html><meta charset="utf-8"><title>player</title><link rel="icon" href="data:,"><body style="margin:0"><video id="video" width="640" height="360"></video>';
  const send = async (request, response, file, speed = 0) => {
    const body = await readFile(file.startsWith('/srs-player') ? join(DIST, normalize(file)) : join(FOLDER, normalize(file)));
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    let part = body;
    if (range) {
      const end = range[2] ? Number(range[2]) : body.length - 1;
      part = body.subarray(Number(range[1]), end + 1);
      response.writeHead(206, { 'content-range': `bytes ${range[1]}-${end}/${body.length}`, 'content-length': part.length });
    } else {
      response.writeHead(200, { 'content-length': part.length });
    }
    if (!speed) return response.end(part);
    const piece = 4096;
    for (let at = 0; at < part.length && !response.destroyed; at += piece) {
      response.write(part.subarray(at, at + piece));
      await new Promise((resolve) => { setTimeout(resolve, piece * 8 / speed); });
    }
    return response.end();
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams, search } = new URL(request.url, 'http://x');
    // With HEAD, the player only checks whether a slow server answers.
    if (request.method !== 'HEAD') requests.push({ path: pathname + search, range: request.headers.range });
    const scripted = answers.get(pathname);
    if (!scripted?.bare) response.setHeader('access-control-allow-origin', '*');
    response.setHeader('cache-control', 'no-store');
    try {
      if (pathname === '/') {
        response.setHeader('content-type', 'text/html');
        if (searchParams.get('policy')) response.setHeader('content-security-policy', searchParams.get('policy'));
        return response.end(page);
      }
      if (typeof scripted === 'number') return response.writeHead(scripted).end();
      if (typeof scripted === 'function') return scripted(request, response, (file) => send(request, response, file));
      if (typeof scripted === 'string') {
        response.setHeader('content-type', TYPES['.m3u8']);
        return response.end(scripted);
      }
      const [, mode, rest] = /^\/(slow|gzip|live)\/(.+)$/.exec(pathname) ?? [];
      if (mode === 'gzip') {
        response.writeHead(200, { 'content-type': 'video/x-flv', 'content-encoding': 'gzip' });
        return response.end(gzipSync(await readFile(join(FOLDER, normalize(rest)))));
      }
      if (mode === 'slow') {
        const [, speed, file] = /^(\d+)(\/.*)$/.exec(rest) ?? [];
        if (answers.has(file)) return response.writeHead(200, { 'content-type': TYPES['.m3u8'] }).end(answers.get(file));
        return await send(request, response, file, Number(speed));
      }
      if (mode === 'live') {
        response.setHeader('content-type', TYPES['.m3u8']);
        return response.end(live(rest, Number(searchParams.get('window')), Number(searchParams.get('since'))));
      }
      return await send(request, response, pathname);
    } catch {
      return response.headersSent ? response.end() : response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    /** @param {string} path @param {any} what */
    answer(path, what) {
      answers.set(path, what);
      return `http://127.0.0.1:${port}${path}`;
    },
    /** Returns the requests whose path contains a text. @param {string} text */
    count: (text) => requests.filter(({ path }) => path.includes(text)).length,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

/** Returns a recording as a live window that started at `since` (ms) and loops. */
function live(name, window, since) {
  const all = segments(name);
  const count = Math.floor((Date.now() - since) / 2000);
  const first = Math.max(0, count - Math.ceil(window / 2));
  const lines = [`#EXT-X-MEDIA-SEQUENCE:${first}`];
  for (let n = first; n < count; n++) {
    if (n > first && n % all.length === 0) lines.push('#EXT-X-DISCONTINUITY');
    lines.push(all[n % all.length]);
  }
  return playlist(lines, '');
}
