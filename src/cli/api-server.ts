import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { Turns } from '../gpu/turns.ts';
import { type Body, modelList } from '../openai/index.ts';
import { object } from '../options.ts';
import type { Endpoint } from './jobs/answer.ts';
import { toWire } from './wire.ts';

/** Who answers requests, one at a time. */
export interface Answerer {
  /** The name by which requests call the model. */
  readonly name: string;
  /** The whole answer, or undefined where its parts were given to `onPart`. */
  answer(
    to: Endpoint,
    /** A file of a form is its bytes. */
    body: Body,
    options: { signal: AbortSignal; onPart: (part: object) => void },
  ): Promise<object | string | undefined>;
}

/** Where the server listens. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Is told of every request that was answered: `POST /v1/chat/completions 200`. */
  readonly onRequest?: (line: string) => void;
}

/** Bytes that a request may have, and one with a file. */
const MOST_BYTES = { json: 16 * 2 ** 20, form: 128 * 2 ** 20 };
const JSON_BODY = /^application\/json\b/;
const FORM_BODY = /^multipart\/form-data\b/;

/** Who is asked for by each path. */
const PATHS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'text',
  '/v1/embeddings': 'embeddings',
  '/v1/audio/transcriptions': 'transcriptions',
  '/v1/audio/translations': 'translations',
};

/** Statuses for errors of ours; those of others are 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'invalid-argument': 400,
  'context-exceeded': 400,
  'unsupported-option': 400,
  'not-found': 404,
  'device-lost': 503,
  'out-of-memory': 503,
};

/** An error with its status. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/**
 * Serves a model over HTTP in the shape of OpenAI's API: requests wait in one queue, and are answered in their order; a stream is a stream of
 * server-sent events; a client that goes ends its answer. Pages of the web cannot ask: a request has to name this host, and to say that its body is
 * JSON, which no page of another origin may without leave; a form that says where it is from is refused.
 */
export async function serveApi(
  answerer: Answerer,
  { host, port, onRequest }: Listening,
): Promise<{ url: string; close(): Promise<void> }> {
  const turns = new Turns();
  const server = createServer((request, response) => {
    response.on('close', () =>
      onRequest?.(`${request.method} ${request.url} ${response.headersSent ? response.statusCode : 'left'}`),
    );
    respond(request, response, host, answerer, turns).catch((error: unknown) => fail(response, error));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return { url: urlOf(server, host), close: () => closed(server) };
}

function urlOf(server: Server, host: string): string {
  const { port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${host}]` : host}:${port}/v1`;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  host: string,
  answerer: Answerer,
  turns: Turns,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  needOwnHost(request, host);
  const models = modelList(answerer.name);
  if (pathname === '/v1/models' && request.method === 'GET') return send(response, 200, models);
  if (pathname === `/v1/models/${encodeURIComponent(answerer.name)}` && request.method === 'GET')
    return send(response, 200, models.data[0]!);
  const to = Object.hasOwn(PATHS, pathname) ? PATHS[pathname] : undefined;
  if (!to) throw new Refused(404, `there is no ${request.method} ${pathname}`, 'not-found');
  if (request.method !== 'POST') throw new Refused(405, `${pathname} takes POST`, 'invalid-argument');
  const heard = to === 'transcriptions' || to === 'translations';
  const body = await (heard ? formOf(request) : bodyOf(request));
  const abort = new AbortController();
  response.once('close', () => abort.abort());
  const onPart = (part: object): void => {
    if (!response.headersSent)
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`data: ${JSON.stringify(part)}\n\n`);
  };
  const whole = await turns.take(() => {
    abort.signal.throwIfAborted(); // the client went while it waited
    return answerer.answer(to, body, { signal: abort.signal, onPart });
  });
  if (whole) send(response, 200, whole);
  else response.end('data: [DONE]\n\n');
}

/** A page that had its name point to this machine would send its own. */
function needOwnHost({ headers }: IncomingMessage, host: string): void {
  const asked = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const everywhere = host === '0.0.0.0' || host === '::';
  if (!everywhere && asked !== host && asked !== 'localhost')
    throw new Refused(403, `requests go to ${host} or localhost, not to ${asked}`, 'access-denied');
}

/** The bytes of a request of this type. Other types are refused: a page of another origin may send some of them without leave. */
async function bytesOf(request: IncomingMessage, type: RegExp, name: string, most: number): Promise<Buffer> {
  if (!type.test(request.headers['content-type'] ?? ''))
    throw new Refused(415, `the content-type of a request is ${name}`, 'invalid-argument');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new Refused(413, `a request has ${most} bytes at the most`, 'limit-exceeded');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The fields of a form; a file is its bytes. A page may send forms to any origin: one that says where it is from is refused. */
async function formOf(request: IncomingMessage): Promise<Body> {
  if (request.headers.origin !== undefined) throw new Refused(403, 'a page of the web may not ask', 'access-denied');
  const bytes = await bytesOf(request, FORM_BODY, 'multipart/form-data', MOST_BYTES.form);
  const type = request.headers['content-type']!;
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData().catch(() => {
    throw new Refused(400, 'the body is no form', 'invalid-argument');
  });
  const fields = [...form].map(async ([name, value]) => [
    name,
    typeof value === 'string' ? value : new Uint8Array(await value.arrayBuffer()),
  ]);
  return Object.fromEntries(await Promise.all(fields)) as Body;
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const bytes = await bytesOf(request, JSON_BODY, 'application/json', MOST_BYTES.json);
  const body = read(bytes.toString('utf8'));
  if (!object[1](body)) throw new Refused(400, 'the body is no JSON object', 'invalid-argument');
  return body as Body;
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: object | string): void {
  const [type, text] =
    typeof body === 'string' ? ['text/plain; charset=utf-8', body] : ['application/json', JSON.stringify(body)];
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(text);
}

/** An error in OpenAI's shape; in a stream that has begun, as its last event. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return; // nobody waits for it
  const { code, message, hint } =
    error instanceof Refused ? { ...error, message: error.message, hint: undefined } : toWire(error);
  const status = error instanceof Refused ? error.status : (STATUS[code as ErrorCode] ?? 500);
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  const body = { error: { message: hint ? `${message}. ${hint}` : message, type, param: null, code } };
  if (response.headersSent) response.end(`data: ${JSON.stringify(body)}\n\n`);
  else send(response, status, body);
}
