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

/** A store that is a file: given by src/disk.ts where there is a disk. A page has none. */
export const disk: { store?: (key: string) => ChoiceStore } = {};

/** IndexedDB in a page, a file under the user's cache folder in Node, nothing where neither can be had. */
export function choiceStore(card: AdapterCard): ChoiceStore {
  const key = storeKey(card);
  const store = globalThis.indexedDB ? databaseStore(key) : (disk.store?.(key) ?? none);
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
