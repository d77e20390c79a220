import { type AdapterCard, WANTED_FEATURES } from '../gpu/adapter.ts';
import { VERSION } from '../version.ts';

export interface Choice {
  /** Label of the candidate. */
  readonly label: string;
  /** Whether all candidates were measured, not only the likely ones. */
  readonly full: boolean;
}

/** What `Tuner` remembers for one adapter, driver and engine. */
export interface Found {
  /** Winners, by the key of their shape. */
  readonly choices: Readonly<Record<string, Choice>>;
  /** Variants that gave wrong results: by label, what was wrong. */
  readonly aside: Readonly<Record<string, string>>;
  /** Families of experimental kernels that were tried: null where all were right, else what was wrong. */
  readonly experimental: Readonly<Record<string, string | null>>;
}

export const NOTHING: Found = { choices: {}, aside: {}, experimental: {} };

/** Keeps what was found beyond the page or the process. */
export interface ChoiceStore {
  load(): Promise<Found>;
  save(found: Found): Promise<void>;
}

/** A choice holds for one adapter, driver (its description, or the browser's version) and version of the engine. */
export function storeKey({ vendor, architecture, device, description, features }: AdapterCard): string {
  const host = globalThis.navigator?.userAgent ?? globalThis.process?.version ?? '';
  const kinds = WANTED_FEATURES.filter((feature) => features.includes(feature));
  return [VERSION, vendor, architecture, device, description, ...kinds, host].join(' | ');
}

/** Makes a store in a file: set by src/disk.ts in Node. A page has none. */
export const disk: { store?: (key: string) => ChoiceStore } = {};

/** IndexedDB in a page, a file in the user's cache folder in Node; where there is neither, nothing is kept. */
export function choiceStore(card: AdapterCard): ChoiceStore {
  const key = storeKey(card);
  const store = globalThis.indexedDB ? databaseStore(key) : (disk.store?.(key) ?? none);
  // A private window or a full disk is no reason to fail: it is measured again next time.
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
