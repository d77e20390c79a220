import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { type ByteSource, blobSource, bytesSource } from '../hub/source.ts';
import {
  signal as abortSignal,
  checkArgument,
  checkOptions,
  integer,
  oneOf,
  type Rules,
  refuse,
  text,
} from '../options.ts';
import type { Resource } from '../runtime/resource.ts';
import { type Metric, type Vector, type VectorDataType, VectorTable } from './table.ts';
import { isVector, VectorIndex } from './vector-index.ts';

/** Vectors for an index: one after the other in one array, or each in its own, at hand or as they come. */
export type VectorSource = Float32Array | Iterable<Vector> | AsyncIterable<Vector>;

/** How an index is made. */
export interface IndexOptions {
  /** What the score of two vectors is. Default: `cosine`. */
  metric?: Metric;
  /**
   * How vectors are kept, here and on the device. float16 takes half the bytes; int8 takes a third, with a scale for at most 16 numbers,
   * and finds 99 % of the ten that float32 finds. Default: `float32`.
   */
  dtype?: VectorDataType;
  /** The length of a vector, where all are in one array. Of others that of the first, where absent. */
  dimension?: number;
  /** The model that made the vectors: `openIndex` compares it. */
  model?: string;
  /** Ends it with `aborted`; nothing stays on the device. */
  signal?: AbortSignal;
}

/** How an index is opened. */
export interface OpenIndexOptions {
  /** The model that queries come from. Error where the index was made by another: `invalid-argument`. */
  model?: string;
  /** The length of a query. Error where the index has another: `wrong-shape`. */
  dimension?: number;
  /** Ends it with `aborted`; nothing stays on the device. */
  signal?: AbortSignal;
}

/** Makes something on the engine's device that goes with the engine. */
export type Keeper = <T extends Resource>(
  make: (gpu: Gpu, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
) => Promise<T>;

const INDEX_RULES: Rules<IndexOptions> = {
  metric: oneOf('cosine', 'dot'),
  dtype: oneOf('float32', 'float16', 'int8'),
  dimension: integer(1),
  model: text,
  signal: abortSignal,
};

const OPEN_RULES: Rules<OpenIndexOptions> = { model: text, dimension: integer(1), signal: abortSignal };

/** `engine.index`. */
export async function makeIndex(keep: Keeper, vectors: VectorSource, options: IndexOptions): Promise<VectorIndex> {
  checkOptions('index', options, INDEX_RULES);
  const { metric = 'cosine', model, signal } = options;
  const table = await tableOf(vectors, options);
  return keep((gpu, either) => VectorIndex.of(gpu, table, { metric, model }, either), signal);
}

/** The vectors in memory, checked. Errors: `invalid-argument`, `wrong-shape`, `aborted`. */
async function tableOf(
  vectors: VectorSource,
  { dtype = 'float32', dimension, signal }: IndexOptions,
): Promise<VectorTable> {
  let table: VectorTable | undefined;
  if (vectors instanceof Float32Array) {
    if (dimension === undefined)
      return refuse('invalid-argument', 'index', 'dimension', 'the length of a vector', dimension);
    if (vectors.length % dimension)
      throw new TilewrightError(
        'wrong-shape',
        `index: expected a multiple of ${dimension} numbers (dimension), got ${vectors.length}`,
      );
    table = new VectorTable(dtype, dimension, vectors.length / dimension);
    for (let at = 0; at < vectors.length; at += dimension) table.append(vectors.subarray(at, at + dimension));
  } else {
    const listed = Object(vectors) as Iterable<Vector>;
    if (!(Symbol.iterator in listed || Symbol.asyncIterator in listed) || typeof vectors === 'string')
      return refuse('invalid-argument', 'index', 'vectors', 'a Float32Array or a list of vectors', vectors);
    for await (const vector of listed) {
      throwIfAborted(signal, 'making the index');
      const at = table?.count ?? 0;
      if (!isVector(vector))
        return refuse('invalid-argument', 'index', `vector ${at}`, 'a Float32Array or a list of numbers', vector);
      table ??= new VectorTable(dtype, dimension ?? vector.length);
      table.append(vector);
    }
  }
  if (!table?.count) throw new TilewrightError('invalid-argument', 'index: vectors: expected at least one, got none');
  return table;
}

/** `engine.openIndex`. */
export async function openIndex(
  keep: Keeper,
  source: string | Blob | ArrayBuffer | Uint8Array,
  options: OpenIndexOptions,
): Promise<VectorIndex> {
  checkOptions('openIndex', options, OPEN_RULES);
  const { model, dimension, signal } = options;
  const { readIndex } = await import('./file.ts');
  const { table, facts } = await readIndex(await bytesOf(source), signal);
  if (model !== undefined && facts.model !== model)
    throw new TilewrightError(
      'invalid-argument',
      `openIndex: expected an index of the model ${model}, got one of ${facts.model ?? 'no model that was named'}`,
      { hint: 'Vectors of different models cannot be compared: make the index again with this one.' },
    );
  if (dimension !== undefined && table.dimension !== dimension)
    throw new TilewrightError(
      'wrong-shape',
      `openIndex: expected vectors of ${dimension} numbers, got ${table.dimension}`,
    );
  return keep((gpu, either) => VectorIndex.of(gpu, table, facts, either), signal);
}

async function bytesOf(source: string | Blob | ArrayBuffer | Uint8Array): Promise<ByteSource> {
  if (source instanceof Blob) return blobSource('index', source);
  if (source instanceof ArrayBuffer || source instanceof Uint8Array) return bytesSource('index', source);
  checkArgument('openIndex', 'source', source, [
    'a name, a Blob or bytes',
    (given) => typeof given === 'string' && given !== '',
  ]);
  return (await import('./saved.ts')).saved(source);
}
