import { buildSession } from '../build/build.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { loadOps } from '../graph/groups/index.ts';
import type { Graph, Operand } from '../graph/ir.ts';
import type { Session } from '../runtime/session.ts';
import { SessionCache } from '../runtime/session-cache.ts';
import { Stores } from '../runtime/stores.ts';
import type { TensorSource } from '../tensor/source.ts';
import { type Metric, norm, type VectorTable } from './table.ts';

/** What a search found of one query, best first. */
export interface Found {
  readonly rows: Int32Array;
  readonly scores: Float32Array;
}

/** A table on the device has a multiple of so many rows: blocks of them have one size. */
const ROWS = 256;
/** Added to the scores of the rows that the table has for that: no float32 is less. */
const LAST = -3.4028234663852886e38;
/** Bytes of the scores of one run at the most, and queries of one run. */
const SCORE_BYTES = 2 ** 26;
const MOST_QUERIES = 64;
/** Sessions of different counts that are kept: they share the table. */
const MOST_SESSIONS = 8;
/** Numbers that are made at a time on their way to the device. */
const CHUNK = 2 ** 18;

/**
 * The vectors of a table on a device, and what finds the best of them. A run scores all of them, and brings back the rows and
 * scores of the best alone: of blocks of rows it takes those with the largest maxima, as many as are asked for, since no other block
 * can have one of the best, and then the best of these.
 */
export class DeviceTable {
  readonly #stores: Stores;
  readonly #sessions = new SessionCache<Session>('the index', MOST_SESSIONS);
  /** Constants of all graphs: the table [rows, dimension], and what is added to the scores [rows]. */
  #constants: { readonly table: Operand; readonly bias: Operand } | undefined;
  readonly #rows: number;

  constructor(
    private readonly gpu: Gpu,
    private readonly table: VectorTable,
    private readonly metric: Metric,
  ) {
    this.#stores = new Stores(gpu);
    this.#rows = Math.ceil(table.count / ROWS) * ROWS;
  }

  /** Bytes on the device. */
  get bytes(): number {
    return this.#stores.bytes;
  }

  /** Queries of one run at the most. */
  get mostQueries(): number {
    const fit = Math.floor(SCORE_BYTES / (4 * this.#rows));
    return 2 ** Math.floor(Math.log2(Math.max(1, Math.min(MOST_QUERIES, fit))));
  }

  #makeConstants(): { readonly table: Operand; readonly bias: Operand } {
    const b = new GraphBuilder();
    const bias = new Float32Array(this.#rows).fill(LAST, this.table.count);
    return { table: this.#weights(b), bias: b.constant({ dataType: 'float32', shape: [this.#rows] }, bias) };
  }

  /** The table as a constant; of unit vectors where they are compared by their cosines. */
  #weights(b: GraphBuilder): Operand {
    const cosine = this.metric === 'cosine';
    const { dataType, dimension, groups, count } = this.table;
    const shape = [this.#rows, dimension];
    const label = 'vectors';
    if (dataType !== 'int8')
      return b.constant({
        name: label,
        storedType: 'F32',
        shape,
        order: 0,
        chunks: () => floats(this.table, this.#rows, cosine),
      });
    const scales = new Float32Array(this.#rows * groups);
    scales.set(this.table.scales);
    const vector = new Float32Array(dimension);
    for (let row = 0; cosine && row < count; row++) {
      this.table.read(row, vector);
      const length = norm(vector, 0, dimension) || 1;
      for (let i = row * groups; i < (row + 1) * groups; i++) scales[i]! /= length;
    }
    const source: TensorSource = {
      name: label,
      storedType: 'I8',
      shape,
      order: 0,
      chunks: () => bytes(this.table, this.#rows),
    };
    const scale = b.constant({ dataType: 'float32', shape: [this.#rows, groups] }, scales);
    return b.dequantizeLinear(b.constant(source), scale, undefined, { label });
  }

  /** The graph that finds the best `k` for each of `count` queries. */
  #graph(count: number, k: number): Graph {
    const b = new GraphBuilder();
    const { dimension } = this.table;
    const queries = b.input('queries', { dataType: 'float32', shape: [count, dimension] });
    this.#constants ??= this.#makeConstants();
    const { table, bias } = this.#constants;
    const scores = b.add(b.matmul(queries, table, { transposeB: true, label: 'vectors' }), bias);
    const size = this.#blockSize(k);
    if (!size) {
      const [best, rows] = b.topK(scores, k);
      return b.outputs({ scores: best, rows });
    }
    const blocks = this.#rows / size;
    const all = b.reshape(scores, [count * blocks, size]);
    const maxima = b.reshape(b.reduceMax(all, { axes: [1] }), [count, blocks]);
    const [, largest] = b.topK(maxima, k);
    // In the order of the rows: of equal scores the first row comes first.
    const [chosen] = b.topK(largest, k, { largest: false });
    const starts = Int32Array.from({ length: count }, (_, query) => query * blocks);
    const places = b.add(chosen, b.constant({ dataType: 'int32', shape: [count, 1] }, starts));
    const [best, within] = b.topK(b.reshape(b.gatherND(all, b.reshape(places, [count, k, 1])), [count, k * size]), k);
    return b.outputs({ scores: best, blocks: chosen, rows: within });
  }

  /** Rows of a block: near the size with the fewest comparisons. 0: the best are found among all rows at once. */
  #blockSize(k: number): number {
    const size = 2 ** Math.round(Math.log2(Math.sqrt(this.#rows / k)));
    const least = Math.min(ROWS, size);
    return least < 4 || 2 * k * least > this.#rows ? 0 : least;
  }

  /** Brings the table to the device, and compiles what searches with one query. */
  async prepare(k: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#session(1, k, async () => {}, signal);
  }

  /** The best `k` of `count` queries, given one after the other: [count, dimension]. */
  async search(queries: Float32Array, count: number, k: number, signal: AbortSignal | undefined): Promise<Found[]> {
    const { dimension } = this.table;
    const bucket = 2 ** Math.ceil(Math.log2(count));
    const given = new Float32Array(bucket * dimension);
    given.set(queries);
    const { scores, rows, blocks } = await this.#session(
      bucket,
      k,
      (session) => session.run({ queries: given }, { signal }),
      signal,
    );
    const size = this.#blockSize(k);
    const at = (query: number, i: number): number => {
      const row = rows![query * k + i]!;
      return blocks ? blocks[query * k + Math.floor(row / size)]! * size + (row % size) : row;
    };
    return Array.from({ length: count }, (_, query) => ({
      rows: Int32Array.from({ length: k }, (_, i) => at(query, i)),
      scores: (scores as Float32Array).slice(query * k, (query + 1) * k),
    }));
  }

  async #session<T>(
    count: number,
    k: number,
    work: (session: Session) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const weights = this.table.dataType === 'float16' ? ({ weights: 'float16' } as const) : {};
    const make = async (signal: AbortSignal): Promise<Session> => {
      await loadOps(['reduce', 'select', ...(this.table.dataType === 'int8' ? ['quantized' as const] : [])]);
      const label = `search of ${count}`;
      return buildSession(this.gpu, this.#graph(count, k), { stores: this.#stores, label, signal, ...weights });
    };
    return this.#sessions.use(`${count} ${k}`, make, work, signal);
  }

  dispose(): void {
    this.#sessions.dispose();
    this.#stores.dispose();
  }
}

/** The vectors as float32, then rows of zeros up to `rows`. Each chunk is good until the next is asked for. */
async function* floats(table: VectorTable, rows: number, unit: boolean): AsyncGenerator<Uint8Array> {
  const { count, dimension } = table;
  const most = Math.max(1, Math.floor(CHUNK / dimension));
  const chunk = new Float32Array(most * dimension);
  for (let first = 0; first < rows; first += most) {
    const some = Math.min(most, rows - first);
    chunk.fill(0);
    for (let i = 0; i < some && first + i < count; i++) {
      const [from, to] = [i * dimension, (i + 1) * dimension];
      table.read(first + i, chunk, from);
      const length = unit ? norm(chunk, from, to) || 1 : 1;
      if (length !== 1) for (let j = from; j < to; j++) chunk[j]! /= length;
    }
    yield new Uint8Array(chunk.buffer, 0, some * dimension * 4);
  }
}

/** The bytes of a table of int8, then rows of zeros up to `rows`. */
async function* bytes({ values, count, dimension }: VectorTable, rows: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < values.length; from += CHUNK) {
    const some = values.subarray(from, from + CHUNK);
    yield new Uint8Array(some.buffer, some.byteOffset, some.length);
  }
  if (rows > count) yield new Uint8Array((rows - count) * dimension);
}
