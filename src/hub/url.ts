import { Network } from './network.ts';
import type { NetworkOptions } from './policy.ts';
import { rangedSource } from './ranged.ts';
import { openRemote } from './remote.ts';
import { blobOf } from './sequential.ts';
import { type ByteSource, blobSource } from './source.ts';

export interface UrlOptions {
  /** Ends the opening; each read takes its own. */
  signal?: AbortSignal | undefined;
  network?: NetworkOptions | undefined;
  /** Fires when nothing more is read for now. */
  loaded?: AbortSignal | undefined;
}

/** Checks options that no request may be made with. Error: `invalid-argument`. */
export const checkNetwork = (network: NetworkOptions): unknown => new Network(network);

/**
 * A file behind a URL (http, https, blob, data). The first request asks for the beginning of it and so learns the size
 * and the version; later reads are ranges of that version. Where the server gives no ranges, or does not tell versions
 * apart, the whole is fetched in one answer.
 *
 * @throws `not-found` for 404, 410 and a page in place of the file; `file-changed`; `network` for all else, naming status
 * and URL.
 */
export async function urlSource(url: string | URL, { signal, network, loaded }: UrlOptions = {}): Promise<ByteSource> {
  const { href, pathname, protocol } = new URL(url);
  const name = protocol === 'data:' ? 'data URL' : pathname.split('/').pop() || href;
  if (!protocol.startsWith('http')) {
    const local = new Network({ retries: 0 });
    return blobSource(name, await local.through(href, signal, async (send) => blobOf(await send())));
  }
  const opened = await openRemote(new Network(network), href, signal, blobOf);
  return opened instanceof Blob ? blobSource(name, opened) : rangedSource(name, opened, loaded);
}
