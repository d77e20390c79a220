import { createReadStream } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, isAbsolute, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** @type {Record<string, string>} */
const MIME = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.safetensors': 'application/octet-stream',
  '.gguf': 'application/octet-stream',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webp': 'image/webp',
  '.wgsl': 'text/wgsl; charset=utf-8',
  '.woff2': 'font/woff2',
};

/**
 * Serves folders over HTTP, read-only: single ranges, `index.html` for a folder, no listing, no file whose name
 * starts with a dot, and nothing outside the folders (symbolic links that lead out included).
 * @param {string | Record<string, string>[]} root a folder, or folders by the URL path they stand under:
 *   `[{ '/': 'dist' }, { '/weights/': 'weights' }]`; the longest path that fits wins
 * @param {{ port?: number, host?: string }} [options] port 0 takes a free one
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>} `url` ends in a slash
 */
export async function serveFolder(root, { port = 0, host = '127.0.0.1' } = {}) {
  const mounts = Object.entries(typeof root === 'string' ? { '/': root } : Object.assign({}, ...root))
    .map(([prefix, folder]) => ({ prefix: `/${prefix}/`.replace(/\/+/g, '/'), folder }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  const server = createServer((request, response) => {
    respond(mounts, request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500).end();
      else response.destroy();
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {{ prefix: string, folder: string }[]} mounts
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function respond(mounts, request, response) {
  const refuse = (/** @type {number} */ status, headers = {}) =>
    response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(`${status}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, { allow: 'GET, HEAD' });
  const path = decodePath(request.url ?? '/');
  if (path === undefined) return refuse(400);
  const file = await locate(mounts, path);
  if (!file) return refuse(404);
  if (file.folder) return refuse(301, { location: encodeURI(`${path}/`) });

  const etag = `"${file.size.toString(36)}-${Math.trunc(file.mtimeMs).toString(36)}"`;
  const headers = {
    'content-type': MIME[extname(file.path).toLowerCase()] ?? 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    etag,
  };
  const packed = request.headers.range === undefined && (await packedOf(file.path, request.headers['accept-encoding']));
  if (packed) {
    response.writeHead(200, {
      ...headers,
      vary: 'accept-encoding',
      'content-encoding': 'gzip',
      etag: etag.replace(/"$/, '-gz"'),
      'content-length': packed.size,
    });
    return request.method === 'HEAD' ? response.end() : pipeline(createReadStream(packed.path), response);
  }
  const fresh = (request.headers['if-range'] ?? etag) === etag;
  const range = fresh ? parseRange(request.headers.range, file.size) : undefined;
  if (range === null) return refuse(416, { 'content-range': `bytes */${file.size}` });
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'content-length': end - start + 1,
    ...(range ? { 'content-range': `bytes ${start}-${end}/${file.size}` } : {}),
  });
  if (request.method === 'HEAD' || end < start) return response.end();
  return pipeline(createReadStream(file.path, { start, end }), response);
}

/**
 * The same file as gzip, where it lies beside it under the name with `.gz`, is no link, and the client takes it; undefined else.
 * @param {string} path
 * @param {string | string[] | undefined} accepted the header Accept-Encoding
 */
async function packedOf(path, accepted) {
  if (!/\bgzip\b(?!;q=0(\.0*)?(,|$))/.test(`${accepted ?? ''}`.replaceAll(' ', ''))) return undefined;
  const found = await lstat(`${path}.gz`).catch(() => undefined);
  return found?.isFile() ? { path: `${path}.gz`, size: found.size } : undefined;
}

/**
 * The decoded path of a request's target, with single slashes; undefined when it is malformed.
 * @param {string} target
 */
function decodePath(target) {
  try {
    const path = decodeURIComponent(target.replace(/[?#].*$/s, '')).replace(/\/+/g, '/');
    return path.startsWith('/') && !path.includes('\0') ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The file that a path stands for, or `folder` when the path lacks a folder's last slash; undefined when there is
 * none that may be served.
 * @param {{ prefix: string, folder: string }[]} mounts
 * @param {string} path decoded
 */
async function locate(mounts, path) {
  const mount = mounts.find(({ prefix }) => path.startsWith(prefix));
  if (!mount) return undefined;
  const inside = path.slice(mount.prefix.length);
  if (inside.split(/[/\\]/).some((part) => part.startsWith('.'))) return undefined;
  try {
    const root = await realpath(mount.folder);
    const real = await realpath(join(root, inside, path.endsWith('/') ? 'index.html' : ''));
    const within = relative(root, real);
    if (within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within)) return undefined;
    const found = await stat(real);
    if (!found.isFile() && !found.isDirectory()) return undefined;
    return { path: real, size: found.size, mtimeMs: found.mtimeMs, folder: found.isDirectory() };
  } catch {
    return undefined;
  }
}

/**
 * @param {string | undefined} header a Range header
 * @param {number} size of the file, bytes
 * @returns {{ start: number, end: number } | null | undefined} the range, its end inclusive; undefined when the whole
 *   file is to be sent (no range, several, or not understood), null when it lies outside the file
 */
export function parseRange(header, size) {
  const [, first, last] = header?.match(/^bytes=(\d*)-(\d*)$/) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length > 0 ? { start: size - length, end: size - 1 } : null;
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) return null;
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}
