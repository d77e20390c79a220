import { TilewrightError } from '../../errors.ts';
import type { Answer, Network } from '../network.ts';
import { BLOCK } from '../policy.ts';
import { rangedSource } from '../ranged.ts';
import { type Known, knownRemote, openRemote, type Remote, versionOf } from '../remote.ts';
import { blobOf } from '../sequential.ts';
import { type ByteSource, blobSource, type Kept } from '../source.ts';
import { type About, CachedFile, partCount } from './file.ts';
import { warnOnce, warnUnkept } from './open.ts';
import type { Store } from './store.ts';

/** A file that the cache keeps, and how it is fetched. */
export interface Wanted extends Pick<About, 'url' | 'model' | 'from' | 'name'> {
  readonly network: Network;
  /** The same without a second try: for what is there already. */
  readonly once: Network;
  /** Whether the address stands for one version for ever: then what is there is not asked for again. */
  readonly pinned: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly loaded?: AbortSignal | undefined;
  /** Counts bytes that came from the cache, or from the network. `size`: of a file that was opened. */
  readonly count: (bytes: number, cached: boolean, size?: number) => void;
}

/** A file in one answer. */
interface Whole {
  readonly blob: Blob;
  readonly response: Response;
}

const wholeOf = async (answer: Answer): Promise<Whole> => ({ blob: await blobOf(answer), response: answer.response });

/**
 * A file behind a URL, of which the cache keeps what was fetched. What is there is asked for again only by a condition, and
 * where the server cannot be reached it is taken as it is. Undefined, with a warning, where the store cannot be read. Errors: those
 * of `openRemote`.
 */
export async function cachedSource(store: Store, wanted: Wanted): Promise<ByteSource | undefined> {
  const file = await CachedFile.open(store, wanted.url).catch((error) => warnUnkept(wanted.model, error));
  if (!file) return undefined;
  try {
    return await sourceOf(file, wanted);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function sourceOf(file: CachedFile, wanted: Wanted): Promise<ByteSource> {
  const { url, model, from, name, loaded, count } = wanted;
  const known = await knownOf(file);
  const opened = await opening(file, wanted, known);
  loaded?.addEventListener('abort', () => file.close());
  const about = { url, model, from, name };
  if ('blob' in opened) {
    const { blob, response } = opened;
    count(blob.size, false, blob.size);
    const text = versionOf(response);
    if (text === undefined) warnOnce(url, 'is not kept in the cache: its server tells neither ETag nor Last-Modified');
    else {
      await file.begin({
        ...about,
        version: { size: blob.size, text, conditions: conditionsOf(response), whole: true },
      });
      for (let index = 0; index < partCount(blob.size) && file.writes; index++)
        await file.put(index, new Uint8Array(await blob.slice(index * BLOCK, (index + 1) * BLOCK).arrayBuffer()));
    }
    const source = blobSource(name, blob);
    return { ...source, kept: keptOf(file, source, opened.response) };
  }
  const { size, first, response } = opened;
  count(first.length, known?.first === first, size);
  if (known?.first === first) await file.used();
  else {
    const version = { size, text: opened.version, conditions: conditionsOf(response!) };
    await file.begin({ ...about, version });
    if (size <= first.length && size > 0) await file.put(0, first);
  }
  const source = rangedSource(name, cachedRemote(file, opened, count), loaded);
  return { ...source, kept: keptOf(file, source, response) };
}

/** What of the file is there to begin with. */
async function knownOf(file: CachedFile): Promise<Known | undefined> {
  const { version } = file;
  if (!version || (version.whole && !(await file.isSound()))) return undefined;
  const first = await file.first();
  return first && { size: version.size, version: version.text, first, conditions: version.conditions };
}

async function opening(file: CachedFile, wanted: Wanted, known: Known | undefined): Promise<Remote | Whole> {
  const { url, network, once, pinned, signal } = wanted;
  const isAbsent = file.about !== undefined && !file.version;
  if (pinned && known) return knownRemote(network, url, known);
  if (pinned && isAbsent) throw absent(url);
  const isEnough = isAbsent || (known !== undefined && file.isComplete);
  const ask = (asked?: Known): Promise<Remote | Whole> =>
    openRemote(isEnough ? once : network, url, signal, wholeOf, asked);
  try {
    return await ask(known).catch((error) => {
      // A server of another origin may not allow conditions.
      if (!known || !isUnreachable(error, true) || !isForeign(url)) throw error;
      return ask({ ...known, conditions: {} });
    });
  } catch (error) {
    if (isEnough && isUnreachable(error)) {
      if (isAbsent) throw absent(url);
      return knownRemote(network, url, known!);
    }
    if (isMissingFile(error)) {
      const { model, from, name } = wanted;
      await file.begin({ url, model, from, name });
    }
    throw error;
  }
}

const absent = (url: string): TilewrightError =>
  new TilewrightError('not-found', `${url}: the server had no such file when it was asked last`, {
    hint: 'Where it has one now, load with { cache: false }.',
  });

/** Whether the server said that there is no such file, and not that there is no such model. */
function isMissingFile(error: unknown): boolean {
  if (!(error instanceof TilewrightError) || error.code !== 'not-found') return false;
  const code = (error.cause as Partial<Response> | undefined)?.headers?.get('x-error-code') ?? 'EntryNotFound';
  return code === 'EntryNotFound';
}

/** Whether the server was not reached (`wholly`), or is busy or broken: it did not say that the file is not to be had. */
function isUnreachable(error: unknown, wholly = false): boolean {
  if (!(error instanceof TilewrightError) || error.code !== 'network') return false;
  const { status } = (error.cause ?? {}) as Partial<Response>;
  return status === undefined || (!wholly && (status >= 500 || [408, 425, 429].includes(status)));
}

const isForeign = (url: string): boolean =>
  globalThis.location !== undefined && new URL(url).origin !== globalThis.location.origin;

/** Headers that ask for another version than that of the answer. */
function conditionsOf({ headers }: Response): Record<string, string> {
  const [etag, modified] = [headers.get('etag'), headers.get('last-modified')];
  if (etag) return { 'If-None-Match': etag };
  return modified ? { 'If-Modified-Since': modified } : {};
}

/** Gives what the cache has, and fetches the rest. */
function cachedRemote(file: CachedFile, remote: Remote, count: Wanted['count']): Remote {
  return {
    ...remote,
    async fetch(start, end, put, signal) {
      let at = start;
      const give = (piece: Uint8Array, cached: boolean): Promise<void> | void => {
        at += piece.length;
        count(piece.length, cached);
        return put(piece);
      };
      while (at < end) {
        const index = Math.floor(at / BLOCK);
        let stop = Math.min(end, (index + 1) * BLOCK);
        if (file.has(index)) {
          signal?.throwIfAborted();
          const base = index * BLOCK;
          for await (const piece of file.read(index, at - base, stop - base)) await give(piece, true);
        } else {
          while (stop < end && !file.has(stop / BLOCK)) stop = Math.min(end, stop + BLOCK);
          await remote.fetch(at, stop, (piece) => give(piece, false), signal);
        }
      }
    },
    keep: (start, bytes) => file.put(start / BLOCK, bytes),
  };
}

function keptOf(file: CachedFile, source: ByteSource, response: Response | undefined): Kept {
  const linked = response?.headers.get('x-linked-etag')?.replace(/^"|"$/g, '') ?? '';
  return {
    expected: /^[\da-f]{64}$/.test(linked) ? linked : undefined,
    get sha256() {
      return file.version?.sha256;
    },
    async complete(signal) {
      await file.settle();
      for (const index of file.missing()) {
        if (!file.writes) break;
        const start = index * BLOCK;
        const bytes = await source.slice(start, Math.min(start + BLOCK, source.size), signal);
        await file.put(index, bytes);
      }
      await file.settle();
    },
    async *bytes(signal) {
      for (let index = 0; index < partCount(source.size); index++) {
        const length = Math.min(BLOCK, source.size - index * BLOCK);
        let at = 0;
        if (file.has(index))
          for await (const piece of file.read(index, 0, length)) {
            at += piece.length;
            yield piece;
          }
        if (at < length) yield* source.stream(index * BLOCK + at, index * BLOCK + length, signal);
      }
    },
    checked: (sha256) => file.used({ sha256 }),
    discard: () => file.discard(),
  };
}
