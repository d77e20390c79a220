import { reason } from '../source.ts';
import type { Store } from './store.ts';

/** Opens the store on the disk: set in Node by src/disk.ts and by the entry `tilewright/cache`. */
export const disk: { store?: () => Store } = {};

/** The store of this platform: on the disk in Node, in the origin's private file system in a browser. Error: there is none. */
export async function openStore(): Promise<Store> {
  return disk.store?.() ?? (await import('./origin.ts')).originStore();
}

const told = new Set<string>();

/** Tells the console, once, of what a load goes on without. */
export function warnOnce(what: string, error?: unknown): void {
  const text = `tilewright: ${what}${error === undefined ? '' : `: ${reason(error)}`}`;
  if (told.has(text)) return;
  told.add(text);
  console.warn(text);
}
