import { TilewrightError } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import {
  signal as abortSignal,
  checkArgument,
  checkOptions,
  integer,
  type Rule,
  type Rules,
  refuse,
  text,
} from '../options.ts';
import { Resource } from '../runtime/resource.ts';
import { DeviceTable, type Found } from './device.ts';
import {
  checkVector,
  type IndexFacts,
  type Metric,
  norm,
  type Vector,
  type VectorDataType,
  type VectorTable,
} from './table.ts';

/** A vector that a search found. */
export interface Hit {
  /** Its place among the vectors that the index was made of, from 0 on. */
  readonly id: number;
  /** Its cosine, or its dot product, with the query. */
  readonly score: number;
}

/** How an index is searched. */
export interface SearchOptions {
  /** How many of the best are found: all, where the index has fewer. Default: 10. */
  topK?: number;
  /** Ends the search with `aborted`. */
  signal?: AbortSignal;
}

export const SEARCH_RULES: Rules<SearchOptions> = { topK: integer(1), signal: abortSignal };

/** How many are found where nothing is said. */
export const TOP = 10;

/** Whether it is one vector, and no list of them. */
export const isVector = (given: unknown): given is Vector =>
  given instanceof Float32Array ? given.length > 0 : Array.isArray(given) && typeof given[0] === 'number';

const VECTORS: Rule = [
  'a vector, or a list of at least one',
  (given) => isVector(given) || (Array.isArray(given) && given.length > 0 && given.every((one) => isVector(one))),
];

/**
 * Vectors on the GPU that are searched for those nearest to others: exactly, each query against all of them. `engine.index` and
 * `engine.openIndex` make it.
 */
export class VectorIndex extends Resource {
  /** Tells it from models. */
  readonly task = 'vector-search';
  protected readonly title = 'the index';
  #gpu: Gpu;
  #device: DeviceTable;

  private constructor(
    gpu: Gpu,
    private readonly table: VectorTable,
    private readonly facts: IndexFacts,
  ) {
    super();
    this.#gpu = gpu;
    this.#device = new DeviceTable(gpu, table, facts.metric);
  }

  /** An index of a table that is on the device. @internal */
  static async of(gpu: Gpu, table: VectorTable, facts: IndexFacts, signal?: AbortSignal): Promise<VectorIndex> {
    const index = new VectorIndex(gpu, table, facts);
    try {
      await index.#device.prepare(Math.min(TOP, table.count), signal);
      return index;
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** The device that it is on: another one after a loss, where the engine recovers. @internal */
  get gpu(): Gpu {
    return this.#gpu;
  }

  /** Leaves a lost device. @internal */
  moveTo(gpu: Gpu): void {
    this.#device.dispose();
    this.#gpu = gpu;
    this.#device = new DeviceTable(gpu, this.table, this.facts.metric);
  }

  /** How many vectors it has. */
  get size(): number {
    return this.table.count;
  }

  /** The length of each vector. */
  get dimension(): number {
    return this.table.dimension;
  }

  /** How it keeps them. */
  get dtype(): VectorDataType {
    return this.table.dataType;
  }

  /** What a score is. */
  get metric(): Metric {
    return this.facts.metric;
  }

  /** The model that made the vectors, where that was said. */
  get model(): string | undefined {
    return this.facts.model;
  }

  /** Bytes on the device. */
  get deviceBytes(): number {
    return this.#device.bytes;
  }

  /** A vector by its id, as the index keeps it. Error: `invalid-argument`. */
  vector(id: number): Float32Array {
    this.alive();
    checkArgument('vector', 'id', id, integer(0, this.size - 1));
    const vector = new Float32Array(this.dimension);
    this.table.read(id, vector);
    return vector;
  }

  /**
   * The vectors nearest to one query, best first; of equals the one with the lower id. Of a list of queries, a list for each.
   * Errors: `wrong-shape` for a query of another length, `invalid-argument`, `aborted`, `device-lost`, `disposed`.
   */
  search(query: Vector, options?: SearchOptions): Promise<Hit[]>;
  search(queries: readonly Vector[], options?: SearchOptions): Promise<Hit[][]>;
  async search(given: Vector | readonly Vector[], options: SearchOptions = {}): Promise<Hit[] | Hit[][]> {
    this.alive();
    checkOptions('search', options, SEARCH_RULES);
    checkArgument('search', 'query', given, VECTORS);
    const { topK = TOP, signal } = options;
    const single = isVector(given);
    const queries = this.#queries(single ? [given] : (given as readonly Vector[]));
    const k = Math.min(topK, this.size);
    const work = (): Promise<Found[]> => this.#found(queries, k, signal);
    const found = await (this.gpu.recovery ? this.gpu.recovery.run(this, work) : work());
    const hits = found.map(({ rows, scores }) => Array.from(rows, (id, i): Hit => ({ id, score: scores[i]! })));
    return single ? hits[0]! : hits;
  }

  /** The queries one after the other, checked: unit vectors for cosines. */
  #queries(given: readonly Vector[]): Float32Array {
    const { dimension, metric } = this;
    const queries = new Float32Array(given.length * dimension);
    for (const [i, query] of given.entries()) {
      checkVector(query, dimension, given.length > 1 ? `query ${i}` : 'query');
      const length = metric === 'cosine' ? norm(query, 0, dimension) || 1 : 1;
      for (let j = 0; j < dimension; j++) queries[i * dimension + j] = query[j]! / length;
    }
    return queries;
  }

  async #found(queries: Float32Array, k: number, signal: AbortSignal | undefined): Promise<Found[]> {
    const device = this.#device;
    const width = this.dimension;
    const count = queries.length / width;
    const found: Found[] = [];
    for (let from = 0; from < count; from += device.mostQueries) {
      const some = Math.min(device.mostQueries, count - from);
      found.push(...(await device.search(queries.subarray(from * width, (from + some) * width), some, k, signal)));
    }
    if (!found.every(({ scores }) => scores.every(Number.isFinite)))
      throw new TilewrightError('not-finite', 'search: a dot product is larger than float32', {
        hint: "Scale the vectors, or compare them by { metric: 'cosine' }.",
      });
    return found;
  }

  /** The index as a safetensors file. */
  async blob(): Promise<Blob> {
    this.alive();
    return (await import('./file.ts')).encodeIndex(this.table, this.facts);
  }

  /**
   * Keeps the index in the cache under a name, in the place of one that has it: `engine.openIndex(name)`. `tilewright/cache` lists and
   * removes it. Error: `no-cache` where there is none, or no room in it.
   */
  async save(name: string): Promise<void> {
    if (!name) refuse('invalid-argument', 'save', 'name', text[0], name);
    checkArgument('save', 'name', name, text);
    const blob = await this.blob();
    await (await import('./saved.ts')).save(name, blob);
  }

  protected release(): void {
    this.#device.dispose();
  }
}
