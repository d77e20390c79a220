import { TilewrightError, throwIfAborted } from '../errors.ts';
import { type ByteSource, blobSource, byteSource, reason } from './source.ts';

/**
 * Bytes fetched at least, where the file has them. A small file or the header of a checkpoint comes with the first
 * request, and the many small tensors of a model, which lie together, with a few.
 */
const WINDOW = 128 * 1024;

/**
 * A file behind a URL (http, https, blob, data). The first request asks for the beginning of it and so learns the size;
 * later reads are range requests. Where the server knows no ranges, the whole is fetched once and kept as a Blob, which
 * browsers hold outside the page's memory. `signal` ends this opening; each read takes its own.
 *
 * @throws `not-found` for 404, 410 and a page in place of the file; `network` for all else, naming status and URL.
 */
export async function urlSource(url: string | URL, { signal }: { signal?: AbortSignal } = {}): Promise<ByteSource> {
  const { href, pathname, protocol } = new URL(url);
  const name = protocol === 'data:' ? 'data URL' : pathname.split('/').pop() || href;
  if (!protocol.startsWith('http')) return blobSource(name, await whole(href, await request(href, signal), signal));

  const first = await request(href, signal, 0, WINDOW);
  const range = rangeOf(first);
  if (range?.start !== 0) {
    // no ranges, or a cross-origin server that hides Content-Range, or an empty file (416)
    if (first.status !== 200) await first.body?.cancel();
    return blobSource(name, await whole(href, first.status === 200 ? first : await request(href, signal), signal));
  }

  const { size } = range;
  const opening = byteSource(name, Math.min(WINDOW, size), () => bodyOf(first), 'network');
  const remote = byteSource(name, size, (start, end, signal) => readRange(href, size, start, end, signal), 'network');
  let kept = { start: 0, bytes: await opening.slice(0, opening.size, signal) };
  return byteSource(name, size, async function* (start, end, signal) {
    if (end - start > WINDOW) {
      yield* remote.stream(start, end, signal);
      return;
    }
    let { start: from, bytes } = kept;
    if (start < from || end > from + bytes.length) {
      from = start;
      bytes = await remote.slice(from, Math.min(from + WINDOW, size), signal);
      kept = { start: from, bytes };
    }
    yield bytes.subarray(start - from, end - from);
  });
}

/** The body of one range request, of a file that must still have `size` bytes. */
async function* readRange(
  href: string,
  size: number,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const response = await request(href, signal, start, end);
  const range = rangeOf(response);
  if (range?.start !== start || range.size !== size) {
    await response.body?.cancel();
    const got = `${response.status} ${response.headers.get('content-range') ?? 'without Content-Range'}`;
    throw new TilewrightError(
      'network',
      `${shown(href)}: asked for bytes ${start} to ${end} of ${size}, the server answered ${got}`,
      { hint: 'The file may have changed while it was read: load it again.' },
    );
  }
  yield* bodyOf(response);
}

/** GET, of the bytes from `start` up to `end` where given. Gives answers 2xx and 416 alone. */
async function request(href: string, signal?: AbortSignal, start = 0, end?: number): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(href, { signal, headers: end === undefined ? {} : { Range: `bytes=${start}-${end - 1}` } });
  } catch (cause) {
    throwIfAborted(signal, `fetching ${shown(href)}`);
    throw new TilewrightError('network', `${shown(href)}: ${reason(cause)}`, {
      hint: 'Check the address and the connection; a page reads other origins only where they allow it (CORS).',
      cause,
    });
  }
  const { status, statusText } = response;
  // Servers of single-page applications answer a missing file with their page.
  const isPage =
    response.headers.get('content-type')?.startsWith('text/html') && !/\.html?$/.test(new URL(href).pathname);
  if ((response.ok || status === 416) && !isPage) return response;
  await response.body?.cancel();
  const answer = `the server answered ${status} ${statusText}${isPage && response.ok ? ' with an HTML page' : ''}`;
  const missing = status === 404 || status === 410 || response.ok;
  throw new TilewrightError(missing ? 'not-found' : 'network', `${shown(href)}: ${answer}`, { cause: response });
}

/** What the server says it sends of the file, where it answers 206 and says so. */
function rangeOf(response: Response): { start: number; size: number } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  return response.status === 206 && match ? { start: Number(match[1]), size: Number(match[2]) } : undefined;
}

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader(); // no `for await`: Safari's streams cannot be iterated
  if (!reader) return;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => {}); // fails only where the stream has failed, which the reader was told
  }
}

async function whole(href: string, response: Response, signal?: AbortSignal): Promise<Blob> {
  const blob = await response.blob().catch((cause: unknown) => {
    throwIfAborted(signal, `fetching ${shown(href)}`);
    throw new TilewrightError('network', `${shown(href)}: ${reason(cause)}`, { cause });
  });
  // Not every browser minds a short body. A compressed one has another length by right.
  const promised = Number(response.headers.get('content-length') ?? 0);
  if (blob.size < promised && !response.headers.get('content-encoding')) {
    throw new TilewrightError('network', `${shown(href)}: expected ${promised} bytes, got ${blob.size}`);
  }
  return blob;
}

/** A URL for a message: data URLs hold megabytes. */
const shown = (href: string): string => (href.length > 200 ? `${href.slice(0, 200)}...` : href);
