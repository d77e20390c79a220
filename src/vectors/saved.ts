import { TilewrightError } from '../errors.ts';
import { CachedFile, partCount } from '../hub/cache/file.ts';
import { openStore } from '../hub/cache/open.ts';
import type { Store } from '../hub/cache/store.ts';
import { BLOCK } from '../hub/policy.ts';
import { type ByteSource, byteSource } from '../hub/source.ts';

/** Where the cache's lists say that an index is from. */
const FROM = 'index';

const FILE = 'index.safetensors';

const addressOf = (name: string): string => `${FROM}:${name}`;

async function storeFor(what: string): Promise<Store> {
  return openStore().catch((cause) => {
    throw new TilewrightError('no-cache', `${what}: there is no cache here: ${cause}`, { cause });
  });
}

/** Keeps the bytes of an index under a name. Error: `no-cache`. */
export async function save(name: string, blob: Blob): Promise<void> {
  const file = await CachedFile.open(await storeFor('save'), addressOf(name));
  try {
    // A text that no earlier one had: what is half written is never taken for the whole.
    const version = { size: blob.size, text: `${Date.now()} ${Math.random()}`, conditions: {} };
    await file.begin({ url: addressOf(name), model: name, from: FROM, name: FILE, version });
    for (let index = 0; index < partCount(blob.size) && file.writes; index++)
      await file.put(index, new Uint8Array(await blob.slice(index * BLOCK, (index + 1) * BLOCK).arrayBuffer()));
    if (file.isComplete) return;
    const why = file.writes ? 'a part could not be written' : 'it is being written elsewhere, or there is no room';
    if (file.writes) await file.discard();
    throw new TilewrightError(
      'no-cache',
      `save: the index ${JSON.stringify(name)} (${blob.size} bytes) could not be kept: ${why}`,
      {
        hint: 'index.blob() gives it as a file; tilewright/cache says what takes the room.',
      },
    );
  } finally {
    file.close();
  }
}

/** The bytes of an index that was saved. Errors: `not-found`, `no-cache`. */
export async function saved(name: string): Promise<ByteSource> {
  const file = await CachedFile.open(await storeFor('openIndex'), addressOf(name));
  try {
    await file.used();
    if (!(await file.isSound()))
      throw new TilewrightError('not-found', `openIndex: there is no index ${JSON.stringify(name)} in the cache`, {
        hint: 'index.save(name) keeps one.',
      });
    return byteSource(name, file.version!.size, async function* (start, end) {
      for (let at = start; at < end; ) {
        const index = Math.floor(at / BLOCK);
        const to = Math.min(end, (index + 1) * BLOCK);
        yield* file.read(index, at - index * BLOCK, to - index * BLOCK);
        at = to;
      }
    });
  } finally {
    file.close();
  }
}
