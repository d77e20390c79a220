import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { userCache } from '../../user-cache.ts';
import { fileSource } from '../path.ts';
import type { Store } from './store.ts';

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });

/** Files under way: the name is told from that of every other writer. */
let writes = 0;

/** The store on the disk: `models` in the folder that `userCache` tells. */
export function diskStore(): Store {
  const root = `${userCache()}/models`;
  return {
    place: root,
    folders: () => namesIn(root),
    files: (folder) => namesIn(`${root}/${folder}`),
    open: (folder, file) =>
      fileSource(`${root}/${folder}/${file}`).catch((error: Error) => {
        if (isAbsent(error.cause)) return undefined;
        throw error;
      }),
    async write(folder, file, bytes) {
      const path = `${root}/${folder}/${file}`;
      const draft = `${path}.${process.pid}.${writes++}.draft`;
      await mkdir(`${root}/${folder}`, { recursive: true });
      try {
        await writeFile(draft, bytes);
        await rename(draft, path); // complete at once, whoever else writes it
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {}); // the error is told, this one is of the same kind
        throw error;
      }
    },
    remove: (folder, file) =>
      rm(file === undefined ? `${root}/${folder}` : `${root}/${folder}/${file}`, { recursive: true, force: true }),
    lock: async () => () => {},
  };
}
