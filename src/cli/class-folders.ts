import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { TilewrightError } from '../errors.ts';
import type { Listing } from './listing.ts';
import { optional } from './optional.ts';
import { decodeFile, PICTURE_FILE } from './pictures.ts';

/** A folder with a folder a class, sorted by path. */
export async function listFolder(root: string): Promise<Listing> {
  const paths = (await readdir(root, { recursive: true })).map((path) => path.split(sep).join('/'));
  const names = paths.filter(isLabelled).sort();
  return {
    items: names.map(itemOf),
    async *read(wanted) {
      for (const position of wanted) {
        const path = join(root, names[position]!);
        yield { position, picture: await decodeFile(path) };
      }
    },
  };
}

/** A tar archive of such a folder, in the order of the archive: one pass to list it, one to read. */
export async function listTar(path: string): Promise<Listing> {
  const names: string[] = [];
  for await (const { name } of pictureEntries(path)) names.push(name);
  return {
    items: names.map(itemOf),
    async *read(wanted) {
      let position = -1;
      for await (const { name, bytes } of pictureEntries(path)) {
        if (!wanted.has(++position)) continue;
        yield { position, picture: await decodeFile(await bytes(), `${name} of ${path}`) };
      }
    },
  };
}

const itemOf = (name: string) => ({ name, label: posix.basename(posix.dirname(name)) });

/** Picture files inside some folder; hidden ones are left out (macOS packs a `._` file beside each). */
function isLabelled(path: string): boolean {
  return PICTURE_FILE.test(path) && posix.dirname(path) !== '.' && !posix.basename(path).startsWith('.');
}

/** The labelled pictures of an archive, in order. The bytes can be had until the next one is asked for. */
async function* pictureEntries(path: string): AsyncGenerator<{ name: string; bytes: () => Promise<Uint8Array> }> {
  const { extract } = await optional('tar-stream', 'Reading .tar files', () => import('tar-stream'));
  const tar = extract();
  // A failure of any of them destroys the last, whose iterator then throws: the callback has nothing to add.
  const source = createReadStream(path);
  if (/gz$/i.test(path)) pipeline(source, createGunzip(), tar, () => {});
  else pipeline(source, tar, () => {});
  try {
    for await (const entry of tar) {
      const name = posix.normalize(entry.header.name);
      if (entry.header.type === 'file' && isLabelled(name)) yield { name, bytes: () => buffer(entry) };
      entry.resume();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TilewrightError('invalid-file', `${path} is not a whole tar archive: ${reason}`, { cause });
  }
}
