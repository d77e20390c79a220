import type { AdapterCard } from '../gpu/adapter.ts';
import { VERSION } from '../version.ts';

export interface Choice {
  /** Label of the candidate. */
  readonly label: string;
  /** Whether all candidates were measured, not only the likely ones. */
  readonly full: boolean;
}

/** What `Tuner` remembers for one adapter, driver and engine. */
export interface Found {
  /** Winners by what they were measured on. */
  readonly choices: Readonly<Record<string, Choice>>;
  /** Labels of the variants that gave wrong results, and what was wrong. */
  readonly aside: Readonly<Record<string, string>>;
}

export const NOTHING: Found = { choices: {}, aside: {} };

/** Where what was found outlives the page or the process. */
export interface ChoiceStore {
  load(): Promise<Found>;
  save(found: Found): Promise<void>;
}

/** What must be the same for a choice to hold: adapter, driver (its description, or the browser's version) and engine. */
export function storeKey({ vendor, architecture, device, description, features }: AdapterCard): string {
  const host = globalThis.navigator?.userAgent ?? globalThis.process?.version ?? '';
  const kinds = ['shader-f16', 'subgroups'].filter((feature) => features.includes(feature));
  return [VERSION, vendor, architecture, device, description, ...kinds, host].join(' | ');
}

/** IndexedDB in a page, a file under the user's cache folder in Node, nothing where neither can be had. */
export function choiceStore(card: AdapterCard): ChoiceStore {
  const key = storeKey(card);
  const store = globalThis.indexedDB ? databaseStore(key) : globalThis.process?.versions?.node ? fileStore(key) : none;
  // What cannot be kept is found out again the next time: a private window or a full disk is no reason to fail.
  return {
    load: async () => ({ ...NOTHING, ...(await store.load().catch(() => NOTHING)) }),
    save: (found) => store.save(found).catch(() => {}),
  };
}

const none: ChoiceStore = { load: async () => NOTHING, save: async () => {} };

const TABLE = 'choices';

function databaseStore(key: string): ChoiceStore {
  const request = <T>(made: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      made.onsuccess = () => resolve(made.result);
      made.onerror = () => reject(made.error);
    });
  const within = async <T>(mode: IDBTransactionMode, work: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const opening = indexedDB.open('tilewright', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    const database = await request(opening);
    try {
      return await request(work(database.transaction(TABLE, mode).objectStore(TABLE)));
    } finally {
      database.close();
    }
  };
  return {
    load: async () => ((await within('readonly', (table) => table.get(key))) as Found | undefined) ?? NOTHING,
    save: async (found) => void (await within('readwrite', (table) => table.put(found, key))),
  };
}

/** One file for each key: `$XDG_CACHE_HOME/tilewright/HASH.json`, or under `~/.cache`. */
function fileStore(key: string): ChoiceStore {
  const path = async (): Promise<string> => {
    const [{ homedir }, { createHash }] = await Promise.all([
      import(/* @vite-ignore */ 'node:os'),
      import(/* @vite-ignore */ 'node:crypto'),
    ]);
    const folder = process.env['XDG_CACHE_HOME'] || `${homedir()}/.cache`;
    return `${folder}/tilewright/${createHash('sha256').update(key).digest('hex').slice(0, 16)}.json`;
  };
  return {
    async load() {
      const { readFile } = await import(/* @vite-ignore */ 'node:fs/promises');
      const { key: kept, ...found } = JSON.parse(await readFile(await path(), 'utf8'));
      return kept === key ? (found as Found) : NOTHING;
    },
    async save(found) {
      const { mkdir, rename, writeFile } = await import(/* @vite-ignore */ 'node:fs/promises');
      const file = await path();
      await mkdir(file.slice(0, file.lastIndexOf('/')), { recursive: true });
      // Whole or not at all, whoever else writes at the same time.
      await writeFile(`${file}.${process.pid}`, `${JSON.stringify({ key, ...found }, null, 1)}\n`);
      await rename(`${file}.${process.pid}`, file);
    },
  };
}
