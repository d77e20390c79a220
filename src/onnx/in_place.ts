import {
  type Graph,
  isConstant,
  isInput,
  leaf,
  type NamedOptions,
  type Operand,
  operand,
  opOf,
  results,
  topological,
} from '../graph/ir.ts';
import { columnsOf, rowsOf } from '../patterns/attention.ts';
import { BYTES, elementCount, sameShape, type TensorData } from '../tensor/types.ts';
import { type LengthNumbers, numbersOf, sameElements, type Traced } from './length_numbers.ts';
import { type Tensor, toDevice } from './values.ts';

/*
 * Keys and values that a file joins to those of the run before (Concat), written onto a cache in place. Shapes then stay
 * the same from token to token, and so does the session.
 *
 * A graph is lowered for a cache that is full, and for two that are shorter. Where the three are the same but for
 * dimensions that grow by one a row, and for numbers that the host computes, the first serves every length: rows that
 * are not there yet are hidden from attention, and the numbers are computed again for each run.
 */

/** An input that comes back from the run before: its rows are along `axis`. */
export interface Fed {
  readonly name: string;
  readonly axis: number;
}

export interface InPlace<T extends Traced = Traced> {
  readonly graph: Graph;
  /** What it was made of: the file, lowered for a full cache. */
  readonly full: T;
  /** The states by the input that they stand for. Their shape is that of the input, with all rows of the cache. */
  readonly states: ReadonlyMap<string, Operand>;
  /** The axis along which inputs of a run grow with the cache, by name. */
  readonly growing: ReadonlyMap<string, number>;
  /** Inputs of the graph that are not the model's, where the cache has `past` rows. Undefined where it does not hold for that length. */
  inputs(past: number): Record<string, TensorData> | undefined;
}

/** Names of inputs that the graph gets beside the model's. */
const ROWS = 'cache rows';
const LAST = 'cache last';

/**
 * The graph with its cache in place. `at(past)` lowers it for a cache of `past` rows; `rows`: those that a run adds;
 * `capacity`: those that the cache holds, more than SHORT + 1 more. Undefined where the graph does not prove that this is right.
 */
export function inPlace<T extends Traced>(
  at: (past: number) => T | undefined,
  fed: readonly Fed[],
  rows: number,
  capacity: number,
): InPlace<T> | undefined {
  const full = capacity - rows;
  const [one, two, three] = [full, full - 1, SHORT].map(at);
  if (!one || !two || !three) return undefined;
  const found = alike(one, two, 1);
  const again = alike(one, three, full - SHORT);
  if (!found || !again || !sameAxes(found.axes, again.axes)) return undefined;
  const late = new Set([...found.late, ...again.late]);
  const numbers = numbersOf([one, two, three], [full, full - 1, SHORT], late);
  const made = numbers && rewritten(one.graph, found.axes, numbers, fed, rows, capacity);
  return made && { ...made, full: one };
}

/** Rows of the shortest cache that is looked at: none and one are special, dimensions of 1 repeat. */
export const SHORT = 2;

const sameAxes = (a: ReadonlyMap<Operand, number>, b: ReadonlyMap<Operand, number>): boolean =>
  a.size === b.size && [...a].every(([node, axis]) => b.get(node) === axis);

/**
 * What of one graph is different in another, whose cache is shorter by `rows`: axes of operands that are as much shorter,
 * and constants of other numbers. Undefined where anything else is.
 */
function alike(
  one: Traced,
  other: Traced,
  rows: number,
): { axes: Map<Operand, number>; late: Set<Operand> } | undefined {
  const [mine, theirs] = [one, other].map(({ graph }) => topological(graph)) as [Operand[], Operand[]];
  if (mine.length !== theirs.length) return undefined;
  const twins = new Map<Operand, Operand>();
  const axes = new Map<Operand, number>();
  const late = new Set<Operand>();
  for (const [i, node] of mine.entries()) {
    const twin = theirs[i]!;
    const names = Object.keys(node.inputs);
    const sameNode =
      node.op === twin.op &&
      node.results.length === twin.results.length &&
      names.length === Object.keys(twin.inputs).length &&
      names.every((name) => twins.get(node.inputs[name]!) === twin.inputs[name]);
    if (!sameNode) return undefined;
    for (const [j, result] of node.results.entries()) {
      const shorter = twin.results[j]!;
      twins.set(result, shorter);
      const axis = axisOf(result.shape, shorter.shape, rows);
      if (axis === undefined || result.dataType !== shorter.dataType) return undefined;
      if (axis >= 0) axes.set(result, axis);
    }
    if (!isConstant(node)) {
      if (!sameOptions(node, twin)) return undefined;
    } else if (!sameConstant(node, twin)) late.add(node);
  }
  const outputs = Object.entries(one.graph.outputs);
  const sameOutputs =
    outputs.length === Object.keys(other.graph.outputs).length &&
    outputs.every(([name, output]) => twins.get(output) === other.graph.outputs[name]);
  return sameOutputs ? { axes, late } : undefined;
}

/** The axis along which a shape is longer than another by `rows`; -1 where they are equal; undefined where they differ otherwise. */
function axisOf(shape: readonly number[], shorter: readonly number[], rows: number): number | undefined {
  if (shape.length !== shorter.length) return undefined;
  const others = shape.flatMap((size, d) => (size === shorter[d] ? [] : [d]));
  if (!others.length) return -1;
  const [axis] = others as [number];
  return others.length === 1 && shape[axis]! - shorter[axis]! === rows ? axis : undefined;
}

/** Whether nodes have the same options, but for a new shape that is theirs. */
function sameOptions(node: Operand, twin: Operand): boolean {
  const [mine, theirs] = [node, twin].map(({ options, shape }) => {
    const { newShape, ...rest } = options as { newShape?: readonly number[] };
    return JSON.stringify(newShape && sameShape(newShape, shape) ? rest : options);
  });
  return mine === theirs;
}

interface ConstantData {
  readonly source?: unknown;
  readonly data?: TensorData;
}

function sameConstant(node: Operand, twin: Operand): boolean {
  const [mine, theirs] = [node.options, twin.options] as [ConstantData, ConstantData];
  return mine.source === theirs.source && sameElements(mine.data, theirs.data);
}

/** The graph of a full cache with states in the places of inputs, and inputs in the places of what hangs on the length. */
function rewritten(
  graph: Graph,
  axes: ReadonlyMap<Operand, number>,
  numbers: LengthNumbers,
  fed: readonly Fed[],
  rows: number,
  capacity: number,
): Omit<InPlace, 'full'> | undefined {
  const states = new Map<string, Operand>();
  const growing = new Map<string, number>();
  const late = new Map<string, Operand>();
  const zeros = new Set<Tensor>();
  const done = new Map<Operand, Operand>();
  const [where, last] = [ROWS, LAST].map((name) => leaf('input', { dataType: 'uint32', shape: [rows] }, { name })) as [
    Operand,
    Operand,
  ];
  const fedBy = (node: Operand): Fed | undefined =>
    isInput(node) ? fed.find(({ name }) => name === (node.options as NamedOptions).name) : undefined;

  /** Rows joined to those of an input become rows written onto a state. */
  const written = (node: Operand, past: Operand, { name, axis }: Fed): Operand | undefined => {
    const { input1: added, ...more } = node.inputs;
    const joins = Object.keys(more).length === 1 && (node.options as { axis: number }).axis === axis;
    if (!joins || !added || states.has(name) || added.shape[axis] !== rows || axes.has(added)) return undefined;
    const lead = elementCount(past.shape.slice(0, axis));
    const width = elementCount(past.shape.slice(axis + 1));
    if ((width * BYTES[node.dataType]) % 4) return undefined; // rows are copied, in words
    const state = leaf('state', node, { name: `${name} [${node.shape}]` });
    states.set(name, state);
    const flat = (input: Operand, count: number): Operand =>
      operand('reshape', { input }, { newShape: [lead, count, width] });
    const apart = axis === node.shape.length - 2;
    const cut = apart ? cutRows(done.get(added)!) : { input: flat(done.get(added)!, rows), column: 0 };
    const made = operand(
      'scatterRows',
      { state: apart ? state : flat(state, capacity), updates: cut.input, positions: where },
      cut.column ? { column: cut.column } : {},
      node.label,
    );
    return apart ? made : operand('reshape', { input: made }, { newShape: node.shape });
  };

  /** Attention that sees the rows that are there. */
  const attention = (node: Operand): Operand | undefined => {
    const { query, key, value, bias, positions } = node.inputs as Record<string, Operand>;
    const along = (one: Operand): boolean => axes.get(one) === one.shape.length - 2;
    if (positions || axes.has(query!) || !along(key!) || !along(value!)) return undefined;
    if (bias && axes.has(bias) && axes.get(bias) !== 3) return undefined;
    const open = bias && noBias(bias);
    if (open) zeros.add(open);
    const { causal, blindToZero, ...options } = node.options as { causal?: boolean; blindToZero?: boolean };
    const biased = bias !== undefined && !open;
    const inputs = {
      query: done.get(query!)!,
      key: done.get(key!)!,
      value: done.get(value!)!,
      ...(biased && { bias: done.get(bias)! }),
      positions: causal || rows === 1 ? where : last,
    };
    // Without a bias every query sees a key.
    const seen = { ...options, ...(biased && blindToZero && { blindToZero }), causal: true };
    return operand('attention', inputs, seen, node.label);
  };

  /** The numbers of a bias that is all zeros as yet. */
  const noBias = (bias: Operand): Tensor | undefined => {
    const tensor = numbers.tensors.get(unshaped(bias));
    return tensor && isZero(tensor) ? tensor : undefined;
  };

  const replaced = (node: Operand): readonly Operand[] | undefined => {
    const one = (made: Operand | undefined): readonly Operand[] | undefined => made && [made];
    const axis = axes.get(node);
    if (numbers.tensors.has(node)) {
      const name = `${node.label ?? 'number'} ${late.size}, of the length`;
      late.set(name, node);
      return [leaf('input', node, { name })];
    }
    if (isInput(node)) {
      if (axis !== undefined && !fedBy(node)) growing.set((node.options as NamedOptions).name, axis);
      return [node];
    }
    if (isConstant(node)) return axis === undefined ? [node] : undefined;
    const inputs = Object.values(node.inputs);
    const past = node.inputs['input0'];
    const source = past && fedBy(past);
    if (node.op === 'concat' && source) return one(written(node, past, source));
    if (inputs.some(fedBy)) return undefined;
    const grows = inputs.some((input) => axes.has(input)) || node.results.some((result) => axes.has(result));
    if (node.op === 'attention' && grows) return one(attention(node));
    if (grows && !keepsRows(node, axes)) return undefined;
    const now = Object.fromEntries(Object.entries(node.inputs).map(([name, input]) => [name, done.get(input)!]));
    return results(node.op, now, node.options, node.label);
  };

  for (const node of topological(graph)) {
    const made = replaced(node);
    if (!made) return undefined;
    node.results.forEach((result, i) => void done.set(result, made[i]!));
  }
  const outputs = Object.fromEntries(
    Object.entries(graph.outputs)
      .filter(([, output]) => !axes.has(output))
      .map(([name, output]) => [name, done.get(output)!]),
  );
  // What the other outputs do not need would not be written.
  const reached = new Set(topological({ outputs }));
  if (states.size < fed.length || [...states.values()].some((state) => !reached.has(state))) return undefined;
  const asked = [...late].filter(([, node]) => reached.has(done.get(node)!));
  return {
    graph: { outputs },
    states,
    growing,
    inputs(past) {
      const now = numbers.at(past);
      if (!now) return undefined;
      if (![...zeros].every((tensor) => isZero(now.get(tensor)!))) return undefined;
      const made: Record<string, TensorData> = {};
      for (const [name, node] of asked) {
        const tensor = now.get(numbers.tensors.get(node)!)!;
        made[name] = toDevice(
          name,
          { type: tensor.type, shape: node.shape },
          padded(tensor.known!, tensor.shape, node.shape, 0),
          node.dataType,
        );
      }
      const each = (value: (i: number) => number): Uint32Array =>
        Uint32Array.from({ length: rows }, (_, i) => value(i));
      if (reached.has(where)) made[ROWS] = each((i) => past + i);
      if (reached.has(last)) made[LAST] = each(() => past + rows - 1);
      return made;
    },
  };
}

/** Rows with what their heads are columns of: [B, rows, ..] and the first column. */
const cutRows = (node: Operand): { input: Operand; column: number } =>
  node.shape.length === 4 ? rowsOf(node) : columnsOf(node);

const isZero = ({ known }: Tensor): boolean => known!.every((x) => Number(x) === 0);

const unshaped = (node: Operand): Operand => (node.op === 'reshape' ? unshaped(node.inputs['input']!) : node);

/** Whether row i of the results depends on row i of the inputs only, along the axes that grow. */
function keepsRows(node: Operand, axes: ReadonlyMap<Operand, number>): boolean {
  const { elementwise } = opOf(node);
  if (elementwise || node.op === 'transpose' || node.op === 'expand') return true;
  if (node.op !== 'reshape') return false;
  const { input } = node.inputs as Record<'input', Operand>;
  const before = ({ shape }: Operand, axis: number | undefined): number => elementCount(shape.slice(0, axis));
  return before(input, axes.get(input)) === before(node, axes.get(node));
}

/** Elements of a tensor in a larger one of `shape`, with `rest` around them. */
export function padded<T>(values: ArrayLike<T>, from: readonly number[], shape: readonly number[], rest: T): T[] {
  if (sameShape(from, shape)) return Array.from(values);
  const axis = shape.findIndex((size, d) => size !== from[d]);
  const inner = elementCount(shape.slice(axis + 1));
  const [own, all] = [from[axis]! * inner, shape[axis]! * inner];
  return Array.from({ length: elementCount(shape) }, (_, i) => {
    const at = i % all;
    return at < own ? values[Math.floor(i / all) * own + at]! : rest;
  });
}
