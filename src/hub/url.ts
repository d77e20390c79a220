import type { Progress } from '../tensor/progress.ts';
import type { Store } from './cache/store.ts';
import { Network } from './network.ts';
import type { NetworkOptions } from './policy.ts';
import { rangedSource } from './ranged.ts';
import { openRemote, type Remote } from './remote.ts';
import { blobOf } from './sequential.ts';
import { type ByteSource, blobSource } from './source.ts';

export interface UrlOptions {
  /** Ends the opening; each read takes its own. */
  signal?: AbortSignal | undefined;
  network?: NetworkOptions | undefined;
  /** Fires when nothing more is read for now. */
  loaded?: AbortSignal | undefined;
  /** Whether what is fetched is kept in the cache. */
  cache?: boolean | undefined;
  /** What files have to hash to, by name: one that is not kept in the cache is fetched whole before it is read. */
  sha256?: Readonly<Record<string, string>> | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** The model that files are of. */
export interface UrlModel {
  readonly name: string;
  readonly from: string;
  /** Whether an address stands for one version for ever. */
  readonly pinned?: boolean;
}

/** The files of one model that are behind URLs. */
export interface Urls {
  open(url: URL, file: string): Promise<ByteSource>;
  /**
   * Fetches what the cache lacks of the files that were opened, and checks those of which the server said what they hash to.
   * Error: `invalid-file`.
   */
  finish(signal?: AbortSignal): Promise<void>;
}

/** Checks options that no request may be made with. Error: `invalid-argument`. */
export const checkNetwork = (network: NetworkOptions): unknown => new Network(network);

export function openUrls(model: UrlModel, options: UrlOptions = {}): Urls {
  const { cache = false, network = {}, onProgress } = options;
  let store: Promise<Store | undefined> | undefined;
  const opened: ByteSource[] = [];
  const totals = { loaded: 0, total: 0, cached: 0 };
  const counter =
    (label: string) =>
    (bytes: number, cached: boolean, size = 0): void => {
      if (options.loaded?.aborted) return;
      totals.total += size;
      totals.loaded = Math.min(totals.loaded + bytes, totals.total); // some bytes come twice
      if (cached) totals.cached += bytes;
      onProgress?.({ phase: 'fetch', ...totals, label });
    };

  async function source(url: URL, file: string): Promise<ByteSource> {
    const { signal, loaded, sha256 = {} } = options;
    const name = url.pathname.split('/').pop() || url.href;
    const count = counter(name);
    if (cache) store ??= storeFor(model);
    const ready = await store;
    if (ready) {
      const { cachedSource } = await import('./cache/cached.ts');
      const networks = { network: new Network(network), once: new Network({ ...network, retries: 0 }) };
      const about = { url: url.href, model: model.name, from: model.from, name };
      const { pinned = false } = model;
      const found = await cachedSource(ready, { ...about, ...networks, pinned, signal, loaded, count });
      if (found) return found;
    }
    const plain = new Network(network);
    if (sha256[file] ?? sha256[name]) {
      const blob = await plain.through(url.href, signal, async (send) => blobOf(await send()));
      count(blob.size, false, blob.size);
      return blobSource(name, blob);
    }
    const remote = await openRemote(plain, url.href, signal, blobOf);
    if (!(remote instanceof Blob)) return rangedSource(name, counted(remote, count), loaded);
    count(remote.size, false, remote.size);
    return blobSource(name, remote);
  }

  return {
    async open(url, file) {
      if (!url.protocol.startsWith('http')) return localSource(url, options.signal);
      const found = await source(url, file);
      opened.push(found);
      return found;
    },
    async finish(signal) {
      for (const one of opened) {
        await one.kept?.complete(signal);
        if (one.kept?.expected) await (await import('./sha256.ts')).checkSha256(one, one.kept.expected, signal);
      }
    },
  };
}

/** The store that keeps the files; undefined, with a warning, where there is none. */
async function storeFor(model: UrlModel): Promise<Store | undefined> {
  const { openStore, warnUnkept } = await import('./cache/open.ts');
  return openStore().catch((error) => warnUnkept(model.name, error));
}

function counted(remote: Remote, count: (bytes: number, cached: boolean, size?: number) => void): Remote {
  count(remote.first.length, false, remote.size);
  return {
    ...remote,
    fetch: (start, end, put, signal) =>
      remote.fetch(
        start,
        end,
        (piece) => {
          count(piece.length, false);
          return put(piece);
        },
        signal,
      ),
  };
}

/** What is behind an address that needs no network: blob, data. */
async function localSource({ href, pathname, protocol }: URL, signal?: AbortSignal): Promise<ByteSource> {
  const name = protocol === 'data:' ? 'data URL' : pathname.split('/').pop() || href;
  const local = new Network({ retries: 0 });
  return blobSource(name, await local.through(href, signal, async (send) => blobOf(await send())));
}

/**
 * A file behind a URL (http, https, blob, data). The first request asks for the beginning of it and so learns the size
 * and the version; later reads are ranges of that version. Where the server gives no ranges, or does not tell versions
 * apart, the whole is fetched in one answer.
 *
 * @throws `not-found` for 404, 410 and a page in place of the file; `file-changed`; `network` for all else, naming status
 * and URL.
 */
export const urlSource = (url: string | URL, options: UrlOptions = {}): Promise<ByteSource> =>
  openUrls({ name: String(url), from: String(url) }, options).open(new URL(url), '');
