import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { parseRange } from '../../tools/serve.mjs';
import { type ErrorCode, TilewrightError } from '../errors.ts';
import { type Folder, onnxOf, openFolder, SINGLE_FILE } from '../hub/folder.ts';
import type { ByteSource } from '../hub/source.ts';
import { hubOptions } from './hub.ts';
import { Lending, type Sink, Taking } from './runtime.ts';

/**
 * What a page of headless Chrome needs: its own files, models (from the disk or through us from the net), what is lent
 * and taken.
 */
export interface JobServer {
  /** Ends in a slash. */
  readonly url: string;
  model(source: string): Promise<string>;
  lend(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): string;
  take(sink: Sink): string;
  /** A text of the page's in which models have the names that this side knows them by. */
  renamed(text: string): string;
  /** What first failed on this side of a request: the page only saw that it failed. */
  failure(): unknown;
  close(): Promise<void>;
}

/** A page that is isolated from other origins has a clock of 5 µs instead of 100. */
const ISOLATION = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

const MIME: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
};

/** Codes of errors that say that there is no such file, or none that may be had. */
const ABSENT: ReadonlySet<string> = new Set<ErrorCode>(['not-found', 'invalid-argument']);

/** A model's files by name; a model of one file has no other. */
interface Shelf {
  readonly folder: Folder;
  readonly single: boolean;
  readonly open: Map<string, Promise<ByteSource>>;
}

/** Serves the folder `pages`, and what is added to it, on 127.0.0.1. */
export async function serveJobs(pages: string): Promise<JobServer> {
  const shelves: Shelf[] = [{ folder: await openFolder(pages), single: false, open: new Map() }];
  const lending = new Lending();
  const taking = new Taking();
  const addresses = new Map<string, string>(); // by source
  const names: (readonly [address: string, name: string])[] = []; // for messages, the longest first
  let failed: unknown;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
    const [, lent] = path.match(/^lent\/(\d+)$/) ?? [];
    if (lent !== undefined) {
      const chunk = await lending.next(lent);
      response.writeHead(chunk ? 200 : 204, {
        'content-type': 'application/octet-stream',
        'cache-control': 'no-store',
      });
      response.end(chunk);
      return;
    }
    const [, taken] = path.match(/^taken\/(\d+)$/) ?? [];
    if (taken !== undefined) {
      await taking.give(taken, await buffer(request));
      response.writeHead(204).end();
      return;
    }
    const [, shelf, file] = path.match(/^model\/(\d+)\/(.+)$/) ?? [];
    const source = await open(shelves[Number(shelf ?? 0)]!, file ?? path);
    const range = parseRange(request.headers.range, source.size);
    if (range === null) {
      response.writeHead(416, { 'content-range': `bytes */${source.size}` }).end();
      return;
    }
    const { start, end } = range ?? { start: 0, end: source.size - 1 };
    response.writeHead(range ? 206 : 200, {
      'content-type': MIME[extname(path)] ?? 'application/octet-stream',
      'content-length': end - start + 1,
      'cache-control': 'no-store',
      ...ISOLATION,
      ...(range && { 'content-range': `bytes ${start}-${end}/${source.size}` }),
    });
    await pipeline(Readable.from(source.stream(start, end + 1)), response);
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      const ours = /^\/(lent|taken)\//.test(request.url ?? '');
      const missing = !ours && error instanceof TilewrightError && ABSENT.has(error.code);
      const gone = response.destroyed; // the page went, or no longer wants it
      if (!missing && !gone) failed ??= error;
      if (response.headersSent) response.destroy();
      else response.writeHead(missing ? 404 : 502).end();
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', () => resolve(undefined)));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  return {
    url,
    async model(source) {
      const known = addresses.get(source);
      if (known) return known;
      const shelf = await shelfOf(source);
      const { name, onnx } = shelf.folder;
      const root = `${url}model/${shelves.push(shelf) - 1}/`;
      const file = shelf.single ? fileName(source) : onnx;
      const address = root + (file === undefined ? '' : encodeURIComponent(file));
      addresses.set(source, address);
      if (file !== undefined) names.push([address, source]);
      if (!shelf.single) names.push([root, name.replace(/\/?$/, '/')]);
      return address;
    },
    renamed: (text) => names.reduce((renamed, [address, name]) => renamed.replaceAll(address, name), text),
    lend: (chunks) => lending.add(chunks),
    take: (sink) => taking.add(sink),
    failure: () => failed,
    async close() {
      await lending.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function shelfOf(source: string): Promise<Shelf> {
  const remote = /^https?:/i.test(source);
  const folder = await openFolder(source, hubOptions(source));
  const onnx = await onnxOf(folder); // a page cannot list a folder
  const file = remote ? /\.(safetensors|gguf)$/.test(new URL(source).pathname) : await isFile(source);
  return { folder: { ...folder, onnx }, single: file && onnx === undefined, open: new Map() };
}

/** The name of a checkpoint that stands alone, such that the page takes it for one. */
function fileName(source: string): string {
  const name = basename(source.replace(/[?#].*$/, ''));
  return /\.(safetensors|gguf)$/.test(name) ? name : `${name}.safetensors`;
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? false;

/** Each file is opened once: what lies behind a URL is asked for its size then. */
function open({ folder, single, open: opened }: Shelf, file: string): Promise<ByteSource> {
  const name = single ? SINGLE_FILE : file;
  const source = opened.get(name) ?? openFile(folder, name);
  opened.set(name, source);
  return source;
}

/** A page cannot list a folder, so the only checkpoint of one is found under the usual name too. */
async function openFile(folder: Folder, name: string): Promise<ByteSource> {
  const found = await folder.find(name);
  if (found || name !== SINGLE_FILE) return found ?? folder.open(name);
  const [only, ...others] = ((await folder.list?.()) ?? []).filter((file) => file.endsWith('.safetensors'));
  return folder.open(only && !others.length ? only : name);
}
