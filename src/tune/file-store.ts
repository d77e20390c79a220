import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { userCache } from '../user-cache.ts';
import { type ChoiceStore, type Found, NOTHING } from './store.ts';

/** One file for each key, `HASH.json`, in the folder that `userCache` tells. */
export function fileStore(key: string): ChoiceStore {
  const path = (): string => {
    return `${userCache()}/${createHash('sha256').update(key).digest('hex').slice(0, 16)}.json`;
  };
  return {
    async load() {
      const { key: kept, ...found } = JSON.parse(await readFile(path(), 'utf8'));
      return kept === key ? (found as Found) : NOTHING;
    },
    async save(found) {
      const file = path();
      await mkdir(file.slice(0, file.lastIndexOf('/')), { recursive: true });
      // Renamed when it is complete: two processes may write at the same time.
      await writeFile(`${file}.${process.pid}`, `${JSON.stringify({ key, ...found }, null, 1)}\n`);
      await rename(`${file}.${process.pid}`, file);
    },
  };
}
