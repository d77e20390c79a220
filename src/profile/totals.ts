import { partsOf } from './names.ts';

/** What adds up over dispatches. */
export interface Amounts {
  readonly ms: number;
  readonly macs: number;
  readonly flops: number;
  readonly bytes: number;
  /** Of the time of all rows, 0 to 1. */
  readonly share: number;
}

/** Dispatches of one op together. */
export interface KindTotal extends Amounts {
  /** `conv2d`, `softmax`. */
  readonly op: string;
  readonly dispatches: number;
}

/** A layer, or a group of layers whose names begin alike, with all that is inside. */
export interface LayerTotal extends Amounts {
  /** Its part of the name: `layer1`; of a single layer, all that was fused into it too. */
  readonly name: string;
  readonly children: readonly LayerTotal[];
  /** The rows that it is made of, by their places. */
  readonly rows: readonly number[];
}

/** A row that has a place among layers. */
export interface Placed extends Amounts {
  readonly label: string;
  readonly name: string;
  readonly op: string;
}

const sum = (rows: readonly Amounts[], field: keyof Amounts): number =>
  rows.reduce((total, row) => total + row[field], 0);

const amounts = (rows: readonly Amounts[]): Amounts => ({
  ms: sum(rows, 'ms'),
  macs: sum(rows, 'macs'),
  flops: sum(rows, 'flops'),
  bytes: sum(rows, 'bytes'),
  share: sum(rows, 'share'),
});

/** Values by a key, in the order in which keys are first met. */
function grouped<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}

/** Totals of each op, the costliest first. */
export const kindsOf = (rows: readonly Placed[]): KindTotal[] =>
  [...grouped(rows, ({ op }) => op)]
    .map(([op, own]) => ({ op, dispatches: own.length, ...amounts(own) }))
    .sort((a, b) => b.ms - a.ms);

/** Layers as a tree, by the parts of their labels. Layers stay in the order in which they first run. */
export const layersOf = (rows: readonly Placed[]): LayerTotal[] => level([...rows.keys()], rows, 0);

/** Begins the key of a group: no label does. */
const GROUP = '\n';

function level(indices: readonly number[], rows: readonly Placed[], depth: number): LayerTotal[] {
  const keyOf = (i: number): string => {
    const parts = partsOf(rows[i]!.label);
    return depth < parts.length - 1 ? GROUP + parts[depth] : rows[i]!.label;
  };
  return [...grouped(indices, keyOf)].map(([key, own]): LayerTotal => {
    const total = { rows: own, ...amounts(own.map((i) => rows[i]!)) };
    if (!key.startsWith(GROUP)) return { name: rows[own[0]!]!.name, children: [], ...total };
    const children = level(own, rows, depth + 1);
    const [only] = children;
    // A group of one layer is that layer.
    return children.length === 1 && !only!.children.length ? only! : { name: key.slice(1), children, ...total };
  });
}
