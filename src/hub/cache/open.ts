import { reason } from '../source.ts';
import type { Store } from './store.ts';

/** Opens the store on the disk: set in Node by src/disk.ts and by the entry `tilewright/cache`. */
export const disk: { store?: () => Store } = {};

/** The store of this platform: on the disk in Node, in the origin's private file system in a browser. Error: there is none. */
export async function openStore(): Promise<Store> {
  return disk.store?.() ?? (await import('./origin.ts')).originStore();
}

const told = new Set<string>();

/** Tells the console of what a load goes on without; of the same `about` once. */
export function warnOnce(about: string, what: string, error?: unknown): void {
  if (told.has(about)) return;
  told.add(about);
  console.warn(`tilewright: ${about} ${what}${error === undefined ? '' : `: ${reason(error)}`}`);
}

/** Says that a model is not kept, and why. */
export const warnUnkept = (model: string, error: unknown): undefined =>
  void warnOnce(model, 'is not kept in the cache, and loads without it', error);
