import type { IncomingMessage, ServerResponse } from 'node:http';
import { etagOf, serve } from './server.ts';

/** What a server does wrong, at one request. */
export interface Trick {
  /** Answers in the place of the file; the body is empty or a text. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string;
  /** Bytes of the body after which the connection breaks, or after which nothing comes any more. */
  readonly cutAfter?: number;
  readonly stallAfter?: number;
  /** Sends no answer at all. */
  readonly silent?: boolean;
}

export interface Hostile {
  readonly url: string;
  readonly requests: readonly string[];
  /** Bytes of the file that were sent. */
  sent: number;
  /** Requests whose connection the client closed before the answer's end. */
  hungUp: number;
  /** The file; another from the next request on. */
  data: Uint8Array;
}

export interface HostileOptions {
  readonly ranges?: boolean;
  /** Headers that tell the version of the file. */
  readonly version?: (data: Uint8Array) => Record<string, string>;
  /** `index` counts requests from 0 on. */
  readonly trick?: (request: IncomingMessage, index: number, server: Hostile) => Trick | undefined;
}

/** A server of one file, at any address, that does as `trick` says. It ends with the test. */
export async function serveHostile(data: Uint8Array, options: HostileOptions = {}): Promise<Hostile> {
  const { ranges = true, trick, version = (content) => ({ etag: etagOf(content) }) } = options;
  let count = 0;
  const { url, requests } = await serve((request, response) => {
    const { status, headers = {}, body, ...how } = trick?.(request, count++, server) ?? {};
    if (how.silent) return;
    response.on('close', () => {
      if (!response.writableFinished) server.hungUp++;
    });
    if (status !== undefined && (status < 200 || status > 206 || body !== undefined)) {
      response.writeHead(status, headers).end(body);
      return;
    }
    const file = server.data;
    const match = ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') : null;
    const [start, end] = match ? [Number(match[1]), Math.min(Number(match[2]) + 1, file.length)] : [0, file.length];
    if (match && start >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
      return;
    }
    const range: Record<string, string> = match ? { 'content-range': `bytes ${start}-${end - 1}/${file.length}` } : {};
    const all: Record<string, string | number> = {
      'content-length': end - start,
      ...range,
      ...version(file),
      ...headers,
    };
    if (headers['transfer-encoding']) delete all['content-length'];
    response.writeHead(status ?? (match ? 206 : 200), all);
    void send(response, file.subarray(start, end), how);
  });
  const server: Hostile = { url: `${url}model.safetensors`, requests, sent: 0, hungUp: 0, data };

  async function send(response: ServerResponse, bytes: Uint8Array, { cutAfter, stallAfter }: Trick): Promise<void> {
    let drained = (): void => {};
    response.on('drain', () => drained()).on('close', () => drained());
    const end = Math.min(bytes.length, cutAfter ?? bytes.length, stallAfter ?? bytes.length);
    for (let at = 0; at < end && !response.destroyed; at += 16384) {
      const piece = bytes.subarray(at, Math.min(at + 16384, end));
      server.sent += piece.length;
      if (!response.write(piece)) await new Promise<void>((resolve) => (drained = resolve));
    }
    if (cutAfter !== undefined) response.write('', () => setTimeout(() => response.destroy(), 5));
    else if (stallAfter === undefined) response.end();
  }
  return server;
}
