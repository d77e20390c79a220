import { stat } from 'node:fs/promises';
import { TilewrightError } from '../errors.ts';
import type { Picture } from '../vision/preprocess.ts';
import { listFolder, listTar } from './class-folders.ts';
import type { Listing } from './listing.ts';
import { listCsv, listIdx } from './pixel-files.ts';

export interface Sample {
  picture: Picture;
  /** Index of the class. */
  label: number;
  /** Where it stands in the set, for messages. */
  name: string;
}

/** Labelled pictures, decoded one at a time as they are asked for, as often as one iterates. */
export interface Dataset extends AsyncIterable<Sample> {
  /** How many samples it gives. */
  readonly count: number;
  /** How many there are without the limit. */
  readonly total: number;
  /** Names by label: the caller's, else the class folders in order; undefined where nothing names the classes. */
  readonly labels: readonly string[] | undefined;
}

const KINDS: readonly [pattern: RegExp, list: (path: string) => Promise<Listing>][] = [
  [/\.(tar|tar\.gz|tgz)$/i, listTar],
  [/\.csv$/i, listCsv],
  [/images[-.]idx3-ubyte(\.gz)?$/i, listIdx],
];

/**
 * Opens labelled pictures:
 * - a folder, or a .tar, .tar.gz or .tgz, with a folder a class, at any depth: `cat/1.jpg` and `test/cat/1.jpg` are cats;
 * - a .csv with one picture a line, `label,bytes`: square, 1 or 3 channels, [H,W,C];
 * - IDX, `...-images-idx3-ubyte` (or .gz), with its `...-labels-idx1-ubyte` beside it.
 *
 * Class folders are matched to `labels` by name; without labels their names sorted are the classes. With `limit` L of n
 * pictures it gives those at floor(k * n / L), the same each time and spread over all, so that sets ordered by class
 * stay balanced.
 *
 * `not-found`, `invalid-file` (broken, or without labelled pictures), `invalid-argument` (a kind of file that is not
 * known, a label the model lacks); while iterating also `invalid-image`.
 */
export async function openDataset(
  path: string,
  labels?: readonly string[],
  { limit = Number.POSITIVE_INFINITY }: { limit?: number } = {},
): Promise<Dataset> {
  if (!(limit >= 1)) throw new TilewrightError('invalid-argument', `limit: expected 1 or more, got ${limit}`);
  const { items, read } = await list(path);
  if (items.length === 0) {
    throw new TilewrightError('invalid-file', `${path} holds no labelled pictures`, {
      hint: 'Put the pictures of each class into a folder of its own.',
    });
  }
  const names = labels ?? classNames(items);
  const classes = classIndices(path, items, names);
  const count = Math.min(items.length, Math.floor(limit));
  const wanted = new Set(Array.from({ length: count }, (_, k) => Math.floor((k * items.length) / count)));
  return {
    count,
    total: items.length,
    labels: names,
    async *[Symbol.asyncIterator]() {
      for await (const { position, picture } of read(wanted)) {
        yield { picture, label: classes[position]!, name: items[position]!.name };
      }
    },
  };
}

async function list(path: string): Promise<Listing> {
  const found = await stat(path).catch((cause) => {
    throw new TilewrightError('not-found', `${path} cannot be read`, { cause });
  });
  if (found.isDirectory()) return listFolder(path);
  const kind = KINDS.find(([pattern]) => pattern.test(path));
  if (kind) return kind[1](path);
  throw new TilewrightError('invalid-argument', `${path} is not a kind of data set that is known`, {
    hint: 'Give a folder or a .tar(.gz) with a folder a class, a .csv of label,bytes, or an -images-idx3-ubyte(.gz) file.',
  });
}

/** The class folders, sorted; undefined where labels are numbers. */
function classNames(items: Listing['items']): string[] | undefined {
  const names = new Set(items.map(({ label }) => label));
  return [...names].every((name) => typeof name === 'string') ? ([...names] as string[]).sort() : undefined;
}

function classIndices(path: string, items: Listing['items'], names: readonly string[] | undefined): number[] {
  const indices = new Map(names?.map((name, index) => [name, index]));
  return items.map(({ name, label }) => {
    const index = typeof label === 'number' ? label : indices.get(label);
    if (index !== undefined && (names === undefined || index < names.length)) return index;
    const known = typeof label === 'number' ? `from 0 to ${names!.length - 1}` : names!.join(', ');
    const message = `${path}: ${name} is of class ${label}, but the model's classes are ${known}`;
    throw new TilewrightError('invalid-argument', message);
  });
}
