import { TilewrightError } from '../errors.ts';
import type { Graph } from '../graph/ir.ts';
import type { TensorData } from '../tensor/types.ts';
import { type Fed, type InPlace, inPlace, padded, SHORT, type Traced } from './in_place.ts';
import type { Given } from './run-tensors.ts';
import type { Value } from './values.ts';

/** A lowered graph, with the outputs of the model. */
export interface TracedOutputs extends Traced {
  readonly outputs: readonly Value[];
  readonly checks: readonly string[];
}

/** What caches ask of a model. */
interface Source {
  /** The declared dimensions of its inputs, and outputs by the input that they become. */
  readonly inputs: readonly { readonly name: string; readonly dims: readonly (number | string)[] | undefined }[];
  readonly feedback: ReadonlyMap<string, string>;
  /** Whether the numbers of an input decide what the graph is. */
  decides(name: string): boolean;
  /** Lowers the file. Errors: those of lowering; undefined where numbers of a run decide what comes next. */
  trace(given: ReadonlyMap<string, Given>): TracedOutputs | undefined;
  /** The shape of an output among those of a lowering; empty where it is no tensor. */
  outputShape(name: string, outputs: readonly Value[]): readonly number[];
}

/** A graph with its cache in place, for runs of one kind. */
interface Made {
  readonly name: string;
  readonly rows: number;
  readonly capacity: number;
  /** The inputs that it was made for, with the length that the cache had then. */
  readonly given: ReadonlyMap<string, Given>;
  readonly past: number;
  /** The axes along which inputs grow with the cache. */
  readonly axes: ReadonlyMap<string, number>;
  /** Undefined where the graph does not prove that it is right. */
  readonly cache: InPlace<TracedOutputs> | undefined;
}

/** A run with the cache in place. */
export interface CachedRun {
  readonly name: string;
  readonly cache: InPlace<TracedOutputs>;
  /** Rows that it adds. */
  readonly rows: number;
  /** The axis of rows in each input that comes back. */
  readonly fed: ReadonlyMap<string, number>;
  /** What the host computes for this length. */
  readonly numbers: Readonly<Record<string, TensorData>>;
  /** The inputs of the run, as long as the cache. */
  readonly given: ReadonlyMap<string, Given>;
}

const FEWEST_ROWS = 64;
/** Tries that prove nothing, before there are no more. */
const MOST_TRIES = 3;

/** Caches in place, by the shapes of the runs that they serve. Their capacity doubles. */
export class Caches {
  readonly #made: Made[] = [];
  #capacity = FEWEST_ROWS;
  #tries = 0;

  constructor(private readonly source: Source) {}

  graphs(): [string, Graph][] {
    return this.#made.flatMap(({ name, cache }): [string, Graph][] => (cache ? [[name, cache.graph]] : []));
  }

  /** How a run is done in place. Undefined where it is not: other ways serve every run. `lowered`: the outputs for these inputs. */
  async find(
    given: ReadonlyMap<string, Given>,
    lowered: () => Promise<readonly Value[] | undefined>,
  ): Promise<CachedRun | undefined> {
    const fed = this.#fed(given);
    if (!fed) return undefined;
    const past = given.get(fed[0]!.name)!.dims[fed[0]!.axis]!;
    const made =
      this.#made.findLast((one) => this.#serves(one, given, past)) ?? (await this.#make(given, fed, past, lowered));
    if (!made?.cache) return undefined;
    const { name, cache, rows, capacity } = made;
    const numbers = lengthOf(() => cache.inputs(past));
    if (!numbers) return undefined;
    const long = new Map(given);
    for (const [name, axis] of cache.growing) {
      const { type, dims, values } = given.get(name)!;
      const shape = dims.map((size, d) => (d === axis ? capacity : size));
      long.set(name, { type, dims: shape, values: padded(Array.from(values!), dims, shape, 0) });
    }
    const axes = new Map(fed.map(({ name, axis }) => [name, axis]));
    return { name, cache, rows, fed: axes, numbers, given: long };
  }

  /** The inputs that come back, where all do, and all grow by rows along one axis of which nothing else tells the length. */
  #fed(given: ReadonlyMap<string, Given>): Fed[] | undefined {
    const { inputs, feedback } = this.source;
    const told = new Set(inputs.flatMap(({ name, dims = [] }) => (feedback.has(name) ? [] : dims)));
    const fed: Fed[] = [];
    for (const { name, dims = [] } of inputs) {
      if (!feedback.has(name)) continue;
      const { values, buffer } = given.get(name)!;
      const axes = dims.flatMap((size, d) => (typeof size === 'string' && (!size || !told.has(size)) ? [d] : []));
      if (values || buffer || axes.length !== 1) return undefined;
      fed.push({ name, axis: axes[0]! });
    }
    const lengths = new Set(fed.map(({ name, axis }) => given.get(name)!.dims[axis]!));
    return lengths.size === 1 && !lengths.has(0) ? fed : undefined;
  }

  async #make(
    given: ReadonlyMap<string, Given>,
    fed: readonly Fed[],
    past: number,
    lowered: () => Promise<readonly Value[] | undefined>,
  ): Promise<Made | undefined> {
    if (this.#tries === MOST_TRIES) return undefined;
    const outputs = await lowered();
    const { feedback, inputs } = this.source;
    const added = new Set(
      fed.map(({ name, axis }) => outputs && this.source.outputShape(feedback.get(name)!, outputs)[axis]! - past),
    );
    const [rows = 0] = added;
    if (added.size > 1 || !(rows > 0)) {
      this.#tries++;
      return undefined;
    }
    const axes = new Map(fed.map(({ name, axis }) => [name, axis]));
    for (const { name, dims = [] } of inputs) {
      const axis = dims.findIndex((size, d) => typeof size === 'string' && given.get(name)?.dims[d] === past + rows);
      if (axis >= 0 && !axes.has(name) && given.get(name)!.values && !this.source.decides(name)) axes.set(name, axis);
    }
    const at = (length: number): TracedOutputs | undefined => {
      const resized = [...given].map(([name, one]): [string, Given] => {
        const axis = axes.get(name);
        const dims = one.dims.map((size, d) => (d === axis ? size - past + length : size));
        return [name, axis === undefined ? one : { ...one, dims, values: undefined }];
      });
      return lengthOf(() => this.source.trace(new Map(resized)));
    };
    const needed = Math.max(past, SHORT + 2) + rows;
    while (this.#capacity < needed) this.#capacity *= 2;
    // A file may end earlier: its table of positions has so many rows.
    const fits = (capacity: number): boolean => at(capacity - rows) !== undefined;
    this.#capacity = fits(this.#capacity) ? this.#capacity : largest(needed, this.#capacity, fits);
    const capacity = this.#capacity;
    const name = `in place ${this.#made.length + 1}: ${rows} of ${capacity} rows`;
    const cache = lengthOf(() => inPlace(at, fed, rows, capacity));
    if (!cache) this.#tries++;
    const kept = [...given].map(([name, one]): [string, Given] => [
      name,
      this.source.decides(name) ? one : { ...one, values: undefined },
    ]);
    const made = { name, rows, capacity, given: new Map(kept), past, axes, cache };
    this.#made.push(made);
    return made;
  }

  /** Whether a graph is right for inputs: their shapes differ by the rows that the cache has now, and it has room for more. */
  #serves(
    { given: known, past: before, axes, rows, capacity }: Made,
    given: ReadonlyMap<string, Given>,
    past: number,
  ): boolean {
    if (past + rows > capacity || known.size !== given.size) return false;
    return [...given].every(([name, { dims, values, buffer }]) => {
      const other = known.get(name);
      const axis = axes.get(name);
      if (other?.dims.length !== dims.length || (axis !== undefined && buffer)) return false;
      if (this.source.decides(name) && `${Array.from(values ?? [])}` !== `${Array.from(other.values ?? [])}`)
        return false;
      return dims.every((size, d) => size === other.dims[d]! + (d === axis ? past - before : 0));
    });
  }
}

/** What a length gives; undefined for one that the file cannot have. */
function lengthOf<T>(make: () => T | undefined): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof TilewrightError) return undefined;
    throw error;
  }
}

/** The largest number from `low` on, and below `high`, that fits; `low` where none does. */
function largest(low: number, high: number, fits: (number: number) => boolean): number {
  let [from, to] = [low, high];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (fits(middle)) from = middle;
    else to = middle;
  }
  return from;
}
