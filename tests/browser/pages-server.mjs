// Pages and player from the source tree on a free port, with an API whose answers a test sets.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const root = new URL('../../', import.meta.url).pathname;
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.mp4': 'video/mp4', '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
};
// As the gateway sends it, without its one concession to inline styles.
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
  + "media-src * blob: data:; connect-src *; worker-src 'self' blob:; object-src 'none'; base-uri 'none'";

/**
 * @param {Record<string, string | Buffer | object>} extra bodies by path: text and buffers as they are, objects as JSON
 * @param {string} policy the Content-Security-Policy of its pages; empty: none
 * @returns {Promise<{ origin: string, extra: Record<string, any>, requests: string[], close: () => Promise<void> }>}
 */
export async function servePages(extra = {}, policy = POLICY) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://x').pathname;
    requests.push(path);
    try {
      const [type, body] = await find(path, extra);
      response.setHeader('content-type', type);
      response.setHeader('access-control-allow-origin', '*');
      if (policy && type.startsWith('text/html')) response.setHeader('content-security-policy', policy);
      send(request, response, body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${server.address().port}`, extra, requests, close };
}

/** Files are asked for by ranges when Chromium seeks in them. */
function send(request, response, body) {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  response.setHeader('accept-ranges', 'bytes');
  if (!range) return response.end(body);
  const start = Number(range[1]);
  const end = range[2] ? Number(range[2]) : body.length - 1;
  response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${body.length}` });
  return response.end(body.subarray(start, end + 1));
}

async function find(path, extra) {
  if (path in extra) {
    const body = extra[path];
    if (typeof body === 'string') return ['text/html; charset=utf-8', Buffer.from(body)];
    return Buffer.isBuffer(body) ? [TYPES[extname(path)], body] : ['application/json', Buffer.from(JSON.stringify(body))];
  }
  const clean = normalize(path);
  const file = clean.endsWith('/') ? `${clean}index.html` : clean;
  const player = file === '/srs-player.js' || file.startsWith('/srs-player/');
  const name = join(root, player ? 'player-wasm/dist' : 'demo/pages', file);
  return [TYPES[extname(name)] ?? 'application/octet-stream', await readFile(name)];
}
