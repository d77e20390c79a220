/**
 * What is kept of models, and how it goes.
 *
 * @module tilewright/cache
 */
import { refuse } from '../../options.ts';
import { ABOUT, type About, partCount, partPrefix, readAbout } from './file.ts';
import { openStore } from './open.ts';
import type { Store } from './store.ts';

/** A file that the cache has, or a part of it. */
export interface CachedFile {
  readonly name: string;
  readonly url: string;
  /** Bytes of it that are there, and bytes of the whole. */
  readonly bytes: number;
  readonly size: number;
  readonly complete: boolean;
  /** Of the whole, where a load compared it. */
  readonly sha256: string | undefined;
  /** When a load opened it last. */
  readonly used: Date;
}

/** A model of which the cache has files, or an index of vectors. */
export interface CachedModel {
  /** `org/model@revision`, the address of its folder or file, or the name that the index was saved under. */
  readonly name: string;
  /** The address of the hub, that of the folder or file, or `index`. */
  readonly from: string;
  readonly bytes: number;
  /** Whether all of its files are complete. */
  readonly complete: boolean;
  readonly used: Date;
  readonly files: readonly CachedFile[];
}

/** What the cache has, the model that was used last first; nothing where there is no cache. */
export async function list(): Promise<CachedModel[]> {
  const store = await openStore().catch(() => undefined);
  const models = new Map<string, { about: About; files: CachedFile[] }>();
  for (const folder of (await store?.folders()) ?? []) {
    const about = await readAbout(store!, folder);
    const file = about && (await fileOf(store!, folder, about));
    if (!file) continue;
    const key = `${about.from} ${about.model}`;
    const { files } = models.get(key) ?? { files: [] };
    models.set(key, { about, files: [...files, file] });
  }
  const listed = [...models.values()].map(({ about, files }) => ({
    name: about.model,
    from: about.from,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    complete: files.every(({ complete }) => complete),
    used: new Date(Math.max(...files.map(({ used }) => used.getTime()))),
    files: files.sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  return listed.sort((a, b) => b.used.getTime() - a.used.getTime());
}

/**
 * Removes a model by its name (`org/model` with all revisions, `org/model@revision`) or the address of its folder, or one file
 * by its address. Gives the number of files that went. Error: `invalid-argument`.
 */
export async function remove(what: string | URL): Promise<number> {
  if (typeof what !== 'string' && !(what instanceof URL))
    refuse('invalid-argument', 'remove', 'what', 'a name or an address', what);
  const name = String(what);
  const isOf = ({ model, from, url }: About): boolean =>
    [url, model, model.replace(from === model ? /\/$/ : /@.*$/, '')].includes(name);
  return removeWhere((about) => about !== undefined && isOf(about));
}

/** Removes everything. Gives the number of files that went. */
export const clear = (): Promise<number> => removeWhere(() => true);

/** Where the cache lies, the bytes of its files, and in a browser the bytes that it leaves to the origin. */
export async function usage(): Promise<{ place: string; bytes: number; available: number | undefined }> {
  const store = await openStore().catch(() => undefined);
  const { quota, usage: used = 0 } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
  return {
    place: store?.place ?? 'nowhere: there is no cache here',
    bytes: (await list()).reduce((sum, { bytes }) => sum + bytes, 0),
    available: quota === undefined ? undefined : quota - used,
  };
}

async function removeWhere(is: (about: About | undefined) => boolean): Promise<number> {
  const store = await openStore().catch(() => undefined);
  let count = 0;
  for (const folder of (await store?.folders()) ?? []) {
    const about = await readAbout(store!, folder);
    if (!is(about)) continue;
    await store!.remove(folder);
    if (about?.version) count++;
  }
  return count;
}

/** Undefined of what the cache only knows not to be there. */
async function fileOf(store: Store, folder: string, about: About): Promise<CachedFile | undefined> {
  const { version, name, url, used } = about;
  if (!version) return undefined;
  const prefix = await partPrefix(version);
  let [bytes, parts] = [0, 0];
  for (const file of await store.files(folder)) {
    if (file === ABOUT || !file.startsWith(`${prefix}-`) || file.endsWith('.draft')) continue;
    const length = (await store.open(folder, file))?.size ?? 0;
    bytes += length;
    if (length) parts++;
  }
  const complete = parts === partCount(version.size) && bytes === version.size;
  return { name, url, bytes, size: version.size, complete, sha256: version.sha256, used: new Date(used) };
}
