import { TilewrightError } from '../../errors.ts';
import { type Folder, type ModelSource, openFolder } from '../../hub/folder.ts';
import type { NetworkOptions } from '../../hub/policy.ts';
import { type ByteSource, blobSource, bytesSource } from '../../hub/source.ts';
import { signal as abortSignal, checkOptions, flag, object, oneOf, type Rules, text, valuesOf } from '../../options.ts';
import type { Keeper } from '../make.ts';
import type { VectorDataType } from '../table.ts';
import { VectorIndex } from '../vector-index.ts';
import { readWords } from './file.ts';
import { type WordsRead, WordVectors } from './word-vectors.ts';

/** How word vectors are loaded. */
export interface WordVectorsOptions {
  /** How vectors are kept, here and on the device: as in `IndexOptions`. Default: `float32`. */
  dtype?: VectorDataType;
  /** How files behind URLs are fetched. */
  network?: NetworkOptions;
  /** Whether files behind URLs are kept: as in `LoadOptions`. */
  cache?: boolean;
  /** What files have to hash to, in hexadecimal digits by name. Error: `invalid-file`. */
  sha256?: Readonly<Record<string, string>>;
  /** Ends it with `aborted`; nothing stays on the device. */
  signal?: AbortSignal;
}

const RULES: Rules<WordVectorsOptions> = {
  dtype: oneOf('float32', 'float16', 'int8'),
  network: object,
  cache: flag,
  sha256: valuesOf(text),
  signal: abortSignal,
};

/** The address of a file of words: its folder, its name, and the query behind it. */
const FILE = /^([^?#]*\/)?([^/?#]+\.(?:txt|vec|bin))(\?[^#]*)?(?:#.*)?$/i;
const WORDS = /\.(txt|vec|bin)$/i;

/** `engine.wordVectors`. */
export async function loadWordVectors(
  keep: Keeper,
  source: ModelSource,
  options: WordVectorsOptions,
): Promise<WordVectors> {
  checkOptions('wordVectors', options, RULES);
  const { signal } = options;
  const read = await readSource(source, options);
  const facts = { metric: 'cosine', model: undefined } as const;
  return keep(
    async (gpu, either) => new WordVectors(read, await VectorIndex.of(gpu, read.table, facts, either)),
    signal,
  );
}

async function readSource(
  source: ModelSource,
  { dtype = 'float32', ...options }: WordVectorsOptions,
): Promise<WordsRead> {
  const { signal } = options;
  const file = fileOf(source);
  if (file) return readWords(file, dtype, signal);
  const done = new AbortController();
  try {
    const how = { ...options, loaded: done.signal };
    const [, path = './', name, query = ''] =
      (typeof source === 'string' || source instanceof URL ? FILE.exec(String(source)) : null) ?? [];
    const folder = await openFolder(name === undefined ? source : path + query, how);
    const words = name === undefined ? await wordsIn(folder) : decodeURIComponent(name);
    const read =
      words === undefined
        ? await (await import('./model2vec.ts')).readModel2Vec(folder, dtype, signal)
        : await readWords(await folder.open(words), dtype, signal);
    await folder.finish?.(signal);
    return read;
  } finally {
    done.abort();
  }
}

/** The bytes of one file at hand. */
function fileOf(source: ModelSource): ByteSource | undefined {
  if (source instanceof Blob) return blobSource(source instanceof File ? source.name : 'words', source);
  return source instanceof ArrayBuffer || source instanceof Uint8Array ? bytesSource('words', source) : undefined;
}

/** The one file of words of a folder that has no checkpoint. Error: `invalid-argument` where there are several. */
async function wordsIn(folder: Folder): Promise<string | undefined> {
  const files = (await folder.list?.()) ?? [];
  if (files.some((file) => file.endsWith('.safetensors'))) return undefined;
  const found = files.filter((file) => WORDS.test(file));
  if (found.length > 1)
    throw new TilewrightError('invalid-argument', `${folder.name}: has several files of words: ${found.join(', ')}`, {
      hint: 'Load one of them by its own address.',
    });
  return found[0];
}
