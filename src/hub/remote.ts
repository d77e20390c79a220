import { TilewrightError } from '../errors.ts';
import { type Answer, Fault, type Network, type Send, shortened } from './network.ts';
import { FIRST } from './policy.ts';

/** A version of a file behind a URL, of which its server gives ranges. */
export interface Remote {
  /** In bytes. */
  readonly size: number;
  /** What tells it from other versions. */
  readonly version: string;
  /** Its first bytes, `FIRST` of them where it has so many. */
  readonly first: Uint8Array;
  /** The answer to the first request; undefined where there was none. */
  readonly response?: Response | undefined;
  /**
   * Gives the bytes from `start` up to `end` to `put`, in order, each once, in pieces that are good until `put` is done.
   * A request that ends early is followed by one for the rest. Errors: those of `Network.through`; `file-changed`.
   */
  fetch(
    start: number,
    end: number,
    put: (piece: Uint8Array) => Promise<void> | void,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Takes a block of the file that came whole, which begins at `start`. The bytes do not change until that is done. Undefined where there is nothing
   * to do.
   */
  keep?(start: number, bytes: Uint8Array): Promise<void> | undefined;
}

/** What is known of a file from before. */
export interface Known extends Pick<Remote, 'size' | 'version' | 'first'> {
  /** Headers that ask for another version only. */
  readonly conditions: Readonly<Record<string, string>>;
}

/**
 * Asks for the beginning of a file. Where that cannot be gone on with in ranges, gives what `whole` makes of one answer
 * with all of it: that is one version of the file. A server without ranges has then answered once. Of the version that is
 * `known` no body is read.
 */
export async function openRemote<Whole>(
  network: Network,
  href: string,
  signal: AbortSignal | undefined,
  whole: (answer: Answer) => Promise<Whole>,
  known?: Known,
): Promise<Remote | Whole> {
  return network.through(href, signal, async (send) => {
    const answer = await send(0, FIRST, known?.conditions);
    const { response } = answer;
    const range = rangeOf(response);
    const version = versionOf(response);
    if (known && (response.status === 304 || (version === known.version && (range?.size ?? known.size) === known.size)))
      return { ...knownRemote(network, href, known), response };
    // A server of another origin may hide Content-Range. An empty file has no ranges (416). What is compressed on the way
    // has ranges of something else.
    if (range?.start !== 0 || !version || response.headers.has('content-encoding'))
      return whole(response.status === 200 ? answer : await send());
    const { size } = range;
    const first = new Uint8Array(Math.min(FIRST, size));
    await drain(answer, 0, first.length, (piece, at) => first.set(piece, at));
    return { size, version, first, response, fetch: ranges(network, href, size, version) };
  });
}

/** A version of a file that is known from before: what of it is fetched has to be of that version. */
export const knownRemote = (network: Network, href: string, { size, version, first }: Known): Remote => ({
  size,
  version,
  first,
  fetch: ranges(network, href, size, version),
});

function ranges(network: Network, href: string, size: number, version: string): Remote['fetch'] {
  /** Where the answer to a range ends. Errors: `file-changed`; a `Fault` for an answer that is none. */
  function endOf(response: Response, start: number, end: number): number {
    const got = response.headers.get('content-range');
    const range = rangeOf(response);
    const total = range?.size ?? sizeOf(response);
    const other = versionOf(response);
    const changed = (what: string): never => {
      throw new TilewrightError('file-changed', `${shortened(href)}: the file changed while it was read: ${what}`, {
        hint: 'Load it again.',
      });
    };
    if (total !== undefined && total !== size) changed(`it had ${size} bytes, now it has ${total}`);
    if (response.status !== 416 && other !== version) changed(`it was ${version}, now it is ${other ?? 'not told'}`);
    if (range?.start === start && range.end <= end) return range.end;
    const answer = `${response.status} ${got ?? 'without Content-Range'}`;
    throw new Fault(`asked for bytes ${start} to ${end} of ${size}, the server answered ${answer}`);
  }

  return async (start, end, put, signal) => {
    let at = start;
    const work = async (send: Send): Promise<void> => {
      while (at < end) {
        const answer = await send(at, end);
        await drain(answer, at, endOf(answer.response, at, end), (piece) => {
          at += piece.length;
          return put(piece);
        });
      }
    };
    await network.through(href, signal, work, () => at);
  };
}

/** Gives `put` the pieces of an answer that has the bytes from `start` up to `end`: no fewer, no more. */
async function drain(
  { pieces }: Answer,
  start: number,
  end: number,
  put: (piece: Uint8Array, at: number) => Promise<void> | void,
): Promise<void> {
  let at = start;
  for await (const piece of pieces) {
    if (at + piece.length > end) throw new Fault(`expected ${end - start} bytes from byte ${start} on, got more`);
    await put(piece, at);
    at += piece.length;
  }
  if (at < end) throw new Fault(`expected ${end - start} bytes from byte ${start} on, got ${at - start}`);
}

/** What the server says it sends of the file, where it answers 206 and says so. `end` is excluded. */
function rangeOf({ status, headers }: Response): { start: number; end: number; size: number } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '');
  if (status !== 206 || !match) return undefined;
  const [start, last, size] = match.slice(1).map(Number) as [number, number, number];
  return start <= last && last < size ? { start, end: last + 1, size } : undefined;
}

/** The size of the file as an answer tells it that has no range of it: the whole, or 416. */
function sizeOf({ status, headers }: Response): number | undefined {
  const size = status === 416 ? /^bytes \*\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] : undefined;
  const length = status === 200 && !headers.has('content-encoding') ? headers.get('content-length') : undefined;
  return size || length ? Number(size ?? length) : undefined;
}

/** What tells versions of a file apart. A weak ETag is one too. */
export function versionOf({ headers }: Pick<Response, 'headers'>): string | undefined {
  const etag = headers.get('etag')?.replace(/^W\//, '');
  return etag ? `ETag ${etag}` : (headers.get('last-modified') ?? undefined);
}
