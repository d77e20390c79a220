import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Server {
  url: string;
  /** `METHOD /path range` of every request so far. */
  requests: string[];
}

/** A server on this machine until the test ends. */
export async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    requests,
  };
}

/** The version of a file, as a server tells it. */
export const etagOf = (data: Uint8Array): string => `"${createHash('sha1').update(data).digest('hex')}"`;

/** Answers as a server of static files does; `alter` may change status, headers and body of an answer to a range. */
export function files(
  content: Record<string, Uint8Array>,
  {
    ranges = true,
    alter = (body: Uint8Array, headers: Record<string, string>) => ({ body, headers, status: 206 }),
  } = {},
) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const data = content[decodeURIComponent(request.url!.slice(1).replace(/\?.*/, ''))];
    if (!data) {
      response.writeHead(404).end('no such file');
      return;
    }
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!match || !ranges) {
      response.writeHead(200, { 'content-length': data.length, etag: etagOf(data) }).end(data);
      return;
    }
    const [start, end] = [Number(match[1]), Math.min(Number(match[2]) + 1, data.length)];
    if (start >= data.length) {
      response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end();
      return;
    }
    const headers = { 'content-range': `bytes ${start}-${end - 1}/${data.length}`, etag: etagOf(data) };
    const answer = alter(data.subarray(start, end), headers);
    response.writeHead(answer.status, { 'content-length': answer.body.length, ...answer.headers }).end(answer.body);
  };
}

/** Bytes that differ from place to place. */
export const pattern = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 24);
