import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { type ChoiceStore, type Found, NOTHING } from './store.ts';

/** One file for each key: `$XDG_CACHE_HOME/tilewright/HASH.json`, or under `~/.cache`. */
export function fileStore(key: string): ChoiceStore {
  const path = (): string => {
    const folder = process.env['XDG_CACHE_HOME'] || `${homedir()}/.cache`;
    return `${folder}/tilewright/${createHash('sha256').update(key).digest('hex').slice(0, 16)}.json`;
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
