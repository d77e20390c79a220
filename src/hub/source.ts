import { type ErrorCode, TilewrightError, throwIfAborted } from '../errors.ts';
import { gathered } from '../tensor/convert.ts';

export const IN_NODE = typeof process !== 'undefined' && process.versions?.node !== undefined;

/** The largest chunk a source hands out, in bytes: what a reader holds on the host at a time. */
export const MAX_CHUNK = 4 * 1024 * 1024;

/** Bytes of the buffer that a stream is read into. */
const SCRATCH = 128 * 1024;

/**
 * The bytes of one file, wherever it lies, to be read any number of times. What is handed out may share memory with
 * the source: read it, do not write to it. A read gives exactly `end - start` bytes or throws: `invalid-file` or
 * `network` when there are fewer, `file-changed` when they are of another version, `aborted` when the signal says so.
 */
export interface ByteSource {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The bytes from `start` up to `end` in one piece: for headers and small files. */
  slice(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** The same bytes in chunks of at most 4 MiB, read as they are asked for. Each is good until the next is asked for. */
  stream(start: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Of a file that the cache keeps. @internal */
  readonly kept?: Kept;
}

/** A file as the cache has it. */
export interface Kept {
  /** What its bytes were found to hash to. */
  readonly sha256: string | undefined;
  /** What they have to hash to, where the server said so. */
  readonly expected: string | undefined;
  /** Fetches what was not read. Afterwards nothing more is written. */
  complete(signal?: AbortSignal): Promise<void>;
  /** All of its bytes, in pieces that are good until the next is asked for. */
  bytes(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Notes what its bytes hash to. */
  checked(sha256: string): Promise<void>;
  /** Removes it. */
  discard(): Promise<void>;
}

/** Reads a range that lies inside the file, in pieces of any size. */
export type RangeReader = (start: number, end: number, signal?: AbortSignal) => AsyncIterable<Uint8Array>;

/** A source from its medium alone: the promises of `ByteSource` are kept here, `failure` is the code they break with. */
export function byteSource(
  name: string,
  size: number,
  read: RangeReader,
  failure: ErrorCode = 'invalid-file',
): ByteSource {
  async function* stream(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    if (!(start >= 0 && start <= end && end <= size)) {
      throw new TilewrightError(
        'invalid-file',
        `${name}: bytes ${start} to ${end} were asked for, the file has ${size} bytes`,
      );
    }
    throwIfAborted(signal, `reading ${name}`);
    if (start === end) return;
    let got = 0;
    try {
      for await (const piece of read(start, end, signal)) {
        got += piece.length;
        if (got > end - start) break; // a surplus is as wrong as a lack: told below
        for (let at = 0; at < piece.length; at += MAX_CHUNK) {
          throwIfAborted(signal, `reading ${name}`);
          yield piece.subarray(at, at + MAX_CHUNK);
        }
      }
    } catch (cause) {
      throwIfAborted(signal, `reading ${name}`);
      if (cause instanceof TilewrightError) throw cause;
      throw new TilewrightError(failure, `${name}: reading bytes ${start} to ${end} failed: ${reason(cause)}`, {
        cause,
      });
    }
    if (got !== end - start) {
      throw new TilewrightError(
        failure,
        `${name}: bytes ${start} to ${end}: expected ${end - start} bytes, got ${got}`,
      );
    }
  }

  const slice = (start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> =>
    gathered(stream(start, end, signal), end - start);

  return { name, size, slice, stream };
}

/** What often comes in the place of a file, by what it begins with: what it is, and what to do. */
const STRAYS: readonly (readonly [RegExp, string, string])[] = [
  [/^\s*<(\?xml|Error)/, 'XML', 'check the address'],
  [/^\s*</, 'an HTML page', 'check the address'],
  [/^version /, 'a Git LFS pointer', 'fetch the file itself with `git lfs pull`'],
  [/^\s*[{[]/, 'JSON', 'check the address'],
  [/^PK/, 'a PyTorch checkpoint', 'save it as safetensors first'],
];

/** `invalid-file`, where bytes that are not what was expected are of a kind that is known. */
export function stray(file: string, expected: string, bytes: Uint8Array): TilewrightError | undefined {
  const start = new TextDecoder().decode(bytes.subarray(0, 100)); // leaves out a byte order mark
  const [, what, advice] = STRAYS.find(([begins]) => begins.test(start)) ?? [];
  if (what === undefined || what === expected) return undefined;
  return new TilewrightError('invalid-file', `${file}: expected ${expected}, got ${what}`, {
    hint: `This looks like ${what}: ${advice}.`,
  });
}

/** What went wrong, in words: `fetch` keeps its reason one level down. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** Bytes in memory, not copied. */
export function bytesSource(name: string, data: ArrayBuffer | Uint8Array): ByteSource {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  return byteSource(name, bytes.length, async function* (start, end) {
    yield bytes.subarray(start, end);
  });
}

/** Milliseconds that a piece of a Blob may take. */
const PIECE_WAIT = 500;

/** Buffers that Blobs are read into, for the next ones. */
const spare: ArrayBuffer[] = [];

/**
 * A Blob or a File: a picked file stays on its disk until it is read. The stream of one now and then never gives its first
 * bytes (Chromium 156: one of some thousand, where many are read, 2026-11-30). What does not come in time is asked for in
 * another way, which leaves more garbage.
 */
export function blobSource(name: string, blob: Blob): ByteSource {
  return byteSource(name, blob.size, async function* (start, end) {
    for (let at = start; at < end; ) {
      for await (const piece of piecesOf(blob.slice(at, end).stream(), inTime, spare)) {
        at += piece.length;
        yield piece;
      }
      const piece = new Uint8Array(await blob.slice(at, Math.min(end, at + SCRATCH)).arrayBuffer());
      if (!piece.length) return;
      at += piece.length;
      yield piece;
    }
  });
}

/** What is read, or undefined where it takes too long. */
function inTime<T>(read: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PIECE_WAIT, undefined);
  });
  return Promise.race([read, late]).finally(() => clearTimeout(timer));
}

/**
 * The bytes of a stream in pieces of any size, each good until the next is asked for: platforms that can read them into a
 * buffer of `spare`. `wait` waits for a read, and gives undefined where nothing more is waited for.
 */
export async function* piecesOf(
  stream: ReadableStream<Uint8Array>,
  wait: <T>(read: Promise<T>) => Promise<T | undefined>,
  spare: ArrayBuffer[],
): AsyncGenerator<Uint8Array> {
  let buffer = spare.pop() ?? new ArrayBuffer(SCRATCH);
  const reader = readerOf(stream);
  try {
    for (;;) {
      // No `for await`: Safari's streams cannot be iterated. A reader that takes no buffer minds none.
      const read = reader.read(new Uint8Array(buffer)) as Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>>;
      const { done, value } = (await wait(read)) ?? { done: true };
      if (value?.buffer.byteLength === SCRATCH) buffer = value.buffer;
      if (done) return;
      yield value!;
    }
  } finally {
    if (buffer.byteLength) spare.push(buffer); // a read that failed keeps its buffer
    reader.cancel().catch(() => {}); // fails only where the stream has failed, which the reader was told
  }
}

function readerOf(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader {
  try {
    return stream.getReader({ mode: 'byob' });
  } catch {
    return stream.getReader() as unknown as ReadableStreamBYOBReader;
  }
}
