import { blobSource } from '../source.ts';
import type { Store } from './store.ts';

const ROOT = 'tilewright';
/** Milliseconds that a load waits for the right to write. */
const LOCK_WAIT = 200;

/** Undefined where the work finds nothing of that name. */
const ifThere = <T>(work: Promise<T>): Promise<T | undefined> =>
  work.catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'NotFoundError') return undefined;
    throw error;
  });

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

/**
 * The origin's private file system, of a window or a worker. Error: there is none here, as in a private window of some
 * browsers, or it cannot be written from here.
 */
export async function originStore(): Promise<Store> {
  if (!globalThis.navigator?.storage?.getDirectory) throw new Error('there is no private file system here');
  if (!('createWritable' in FileSystemFileHandle.prototype)) throw new Error('the private file system is for reading');
  const top = await navigator.storage.getDirectory();
  const root = await top.getDirectoryHandle(ROOT, { create: true });
  const find = (folder: string): Promise<FileSystemDirectoryHandle | undefined> =>
    ifThere(root.getDirectoryHandle(folder));
  return {
    place: 'the private file system of this origin',
    folders: () => namesIn(root),
    async files(folder) {
      const found = await find(folder);
      return found ? namesIn(found) : [];
    },
    async open(folder, name) {
      const found = await find(folder);
      const file = found && (await ifThere(found.getFileHandle(name)));
      return file && blobSource(name, await file.getFile());
    },
    async write(folder, name, bytes) {
      const handle = await root.getDirectoryHandle(folder, { create: true });
      const file = await handle.getFileHandle(name, { create: true });
      // What is written lies beside the file and takes its place when it is closed.
      const writable = await file.createWritable();
      try {
        await writable.write(bytes as Uint8Array<ArrayBuffer>);
        await writable.close();
      } catch (error) {
        await writable.abort().catch(() => {}); // fails where it has failed before
        throw error;
      }
    },
    async remove(folder, name) {
      if (name === undefined) await ifThere(root.removeEntry(folder, { recursive: true }));
      else await ifThere((await find(folder))?.removeEntry(name) ?? Promise.resolve());
    },
    lock: (folder) =>
      new Promise((resolve, reject) => {
        const hold = (): Promise<void> => new Promise((release) => resolve(release));
        // A load that has just ended gives it back soon.
        const signal = AbortSignal.timeout(LOCK_WAIT);
        navigator.locks.request(`${ROOT}/${folder}`, { signal }, hold).catch((error) => {
          if (signal.aborted) resolve(undefined);
          else reject(error);
        });
      }),
  };
}
