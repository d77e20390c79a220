import { TilewrightError } from '../errors.ts';
import type { TensorData } from '../tensor/types.ts';
import type { Graphs, TracedOutputs } from './graphs.ts';
import { type Fed, type InPlace, inPlace, padded, SHORT } from './in_place.ts';
import type { Given } from './run-tensors.ts';
import type { Value } from './values.ts';

/** What caches ask of a model. */
interface Source {
  /** The declared dimensions of its inputs, and outputs by the input that they become. */
  readonly inputs: readonly { readonly name: string; readonly dims: readonly (number | string)[] | undefined }[];
  readonly feedback: ReadonlyMap<string, string>;
  readonly graphs: Graphs;
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
  /** The inputs that come back. */
  readonly fed: readonly Fed[];
  /** What the host computes for this length. */
  readonly numbers: Readonly<Record<string, TensorData>>;
  /** The inputs of the run, as long as the cache. */
  readonly given: ReadonlyMap<string, Given>;
}

const FEWEST_ROWS = 64;
/** Tries that prove nothing, before there are no more. */
const MOST_TRIES = 3;
/** Graphs that are kept. */
const MOST_MADE = 16;

/** Caches in place, by the shapes of the runs that they serve. Their capacity doubles. */
export class Caches {
  readonly #made: Made[] = [];
  /** Inputs that come back; empty where they are not of the form that can be in place. */
  readonly #fed: readonly Fed[];
  #count = 0;
  #capacity = FEWEST_ROWS;
  #tries = 0;

  constructor(private readonly source: Source) {
    this.#fed = fedOf(source);
  }

  /** What was made in place, by the names of its plans. */
  all(): [string, InPlace<TracedOutputs>][] {
    return this.#made.flatMap(({ name, cache }): [string, InPlace<TracedOutputs>][] => (cache ? [[name, cache]] : []));
  }

  /** How a run is done in place. Undefined where it is not: other ways serve every run. `lowered`: the outputs for these inputs. */
  async find(
    given: ReadonlyMap<string, Given>,
    lowered: () => Promise<readonly Value[] | undefined>,
  ): Promise<CachedRun | undefined> {
    const past = this.#past(given);
    if (!past) return undefined;
    const made =
      this.#made.findLast((one) => this.#serves(one, given, past)) ?? (await this.#make(given, past, lowered));
    if (!made?.cache) return undefined;
    const { name, cache, rows, capacity } = made;
    const numbers = lengthOf(() => cache.inputs(past));
    if (!numbers) return undefined;
    const long = new Map(given);
    for (const [name, axis] of cache.growing) {
      const { type, dims, values } = given.get(name)!;
      const shape = dims.map((size, d) => (d === axis ? capacity : size));
      long.set(name, { type, dims: shape, values: padded(values!, dims, shape, 0) });
    }
    return { name, cache, rows, fed: this.#fed, numbers, given: long };
  }

  /** The rows of the cache. Undefined where it has none, where they differ from input to input, or where a run brings them. */
  #past(given: ReadonlyMap<string, Given>): number | undefined {
    const lengths = new Set<number>();
    for (const { name, axis } of this.#fed) {
      const { dims, values, buffer } = given.get(name)!;
      if (values || buffer) return undefined;
      lengths.add(dims[axis]!);
    }
    const [past] = lengths;
    return lengths.size === 1 ? past : undefined;
  }

  async #make(
    given: ReadonlyMap<string, Given>,
    past: number,
    lowered: () => Promise<readonly Value[] | undefined>,
  ): Promise<Made | undefined> {
    if (this.#tries === MOST_TRIES) return undefined;
    const outputs = await lowered();
    const { feedback, inputs } = this.source;
    const fed = this.#fed;
    const added = new Set(
      fed.map(({ name, axis }) => outputs && this.source.outputShape(feedback.get(name)!, outputs)[axis]! - past),
    );
    const [rows = 0] = added;
    if (added.size > 1 || !(rows > 0)) {
      this.#tries++;
      return undefined;
    }
    const back = new Map(fed.map(({ name, axis }) => [name, axis]));
    // Such as a mask of all keys: its dimension may have that size by chance, then it is tried as a size like others.
    const longer = inputs.flatMap(({ name, dims = [] }): [string, number][] => {
      const axis = dims.findIndex((size, d) => typeof size === 'string' && given.get(name)?.dims[d] === past + rows);
      const grows = axis >= 0 && !back.has(name) && given.get(name)!.values && !this.source.graphs.decides(name);
      return grows ? [[name, axis]] : [];
    });
    const ways = [new Map([...back, ...longer]), ...(longer.length ? [back] : [])];
    let made: Pick<Made, 'axes' | 'capacity' | 'cache'> | undefined;
    for (const axes of ways) made ??= this.#proved(given, past, rows, axes);
    if (made) this.#capacity = made.capacity;
    else this.#tries++;
    const { axes, capacity, cache } = made ?? { axes: ways[0]!, capacity: this.#room(past, rows), cache: undefined };
    const name = `in place ${++this.#count}: ${rows} of ${capacity} rows`;
    const kind = { name, rows, capacity, given: this.source.graphs.deciding(given), past, axes, cache };
    this.#made.push(kind);
    if (this.#made.length > MOST_MADE) this.#made.shift();
    return kind;
  }

  /** The capacity that a run needs, or more. */
  #room(past: number, rows: number): number {
    let capacity = this.#capacity;
    while (capacity < Math.max(past, SHORT + 2) + rows) capacity *= 2;
    return capacity;
  }

  /** The cache in place, where inputs grow along `axes`. Undefined where that is not proved. */
  #proved(
    given: ReadonlyMap<string, Given>,
    past: number,
    rows: number,
    axes: ReadonlyMap<string, number>,
  ): Pick<Made, 'axes' | 'capacity' | 'cache'> | undefined {
    const at = kept((length: number): TracedOutputs | undefined => {
      const resized = [...given].map(([name, one]): [string, Given] => {
        const axis = axes.get(name);
        const dims = one.dims.map((size, d) => (d === axis ? size - past + length : size));
        return [name, axis === undefined ? one : { ...one, dims, values: undefined }];
      });
      return lengthOf(() => this.source.graphs.traced(new Map(resized)));
    });
    const fits = (capacity: number): boolean => at(capacity - rows) !== undefined;
    const room = this.#room(past, rows);
    // A file may end earlier: its table of positions has so many rows.
    const capacity = fits(room) ? room : largest(Math.max(past, SHORT + 2) + rows, room, fits);
    const cache = lengthOf(() => inPlace(at, this.#fed, rows, capacity));
    return cache && { axes, capacity, cache };
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
      if (this.source.graphs.decides(name) && `${Array.from(values ?? [])}` !== `${Array.from(other.values ?? [])}`)
        return false;
      return dims.every((size, d) => size === other.dims[d]! + (d === axis ? past - before : 0));
    });
  }
}

/** The inputs that come back, where each grows by rows along one axis, of which nothing else tells the length; else none. */
function fedOf({ inputs, feedback }: Source): Fed[] {
  const told = new Set(inputs.flatMap(({ name, dims = [] }) => (feedback.has(name) ? [] : dims)));
  const fed = inputs
    .filter(({ name }) => feedback.has(name))
    .map(({ name, dims = [] }) => ({
      name,
      axes: dims.flatMap((size, d) => (typeof size === 'string' && (!size || !told.has(size)) ? [d] : [])),
    }));
  return fed.every(({ axes }) => axes.length === 1) ? fed.map(({ name, axes }) => ({ name, axis: axes[0]! })) : [];
}

/** A function that computes nothing twice. */
function kept<T>(make: (number: number) => T): (number: number) => T {
  const known = new Map<number, T>();
  return (number) => {
    if (!known.has(number)) known.set(number, make(number));
    return known.get(number)!;
  };
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
