import { TilewrightError } from '../errors.ts';
import { checkOperands, type Op, type Operand, type Rewriter, type Shape } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { arrayOf } from '../tensor/half.ts';
import type { TensorSource } from '../tensor/source.ts';
import { type DataType, formatTensor, type HostData, type TensorDescriptor } from '../tensor/types.ts';

export type { Operand } from '../ops/define.ts';

export interface ConstantOptions {
  readonly source?: TensorSource;
  readonly data?: HostData;
  /** The tensor of the file whose blocks `source` is: numbers are made of them by ops. */
  readonly blocksOf?: TensorSource;
}

export interface NamedOptions {
  readonly name: string;
}

/** A graph: its outputs by name. Its nodes are those that the outputs depend on. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Operand>>;
  /** Inputs that it had before passes: they are given at every run, also where nothing asks for them any more. */
  readonly inputs?: readonly Operand[];
}

/** Returns a graph that computes the same. Changes nothing in place. */
export type Pass = (graph: Graph) => Graph;

/**
 * Leaves: given at every run; changed by no run; kept on the device from run to run; lives between the dispatches of a
 * node.
 */
const LEAVES = ['input', 'constant', 'state', 'scratch'] as const;
type Leaf = (typeof LEAVES)[number];

export const isLeaf = ({ op }: Operand): boolean => LEAVES.some((leaf) => leaf === op);
const leafOf =
  (kind: Leaf) =>
  ({ op }: Operand): boolean =>
    op === kind;
export const [isInput, isConstant, isState] = [leafOf('input'), leafOf('constant'), leafOf('state')];

/** The definition of an operand's op; empty for a leaf. */
export const opOf = (node: Operand): Partial<Op> => (isLeaf(node) ? {} : opNamed(node.op));

/** The first result of an operand's node: it stands for the node. */
export const nodeOf = ({ results }: Operand): Operand => results[0]!;

function made(
  descriptors: readonly TensorDescriptor[],
  of: Omit<Operand, 'dataType' | 'shape' | 'results'>,
): readonly Operand[] {
  const results: Operand[] = [];
  for (const { dataType, shape } of descriptors) results.push({ ...of, dataType, shape: [...shape], results });
  return results;
}

export function leaf(op: 'input' | 'state', descriptor: TensorDescriptor, options: NamedOptions): Operand;
export function leaf(op: 'constant', descriptor: TensorDescriptor, options: ConstantOptions, label?: string): Operand;
export function leaf(op: 'scratch', descriptor: TensorDescriptor, options: object, label?: string): Operand;
export function leaf(op: Leaf, { dataType, shape }: TensorDescriptor, options: object, label?: string): Operand {
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new TilewrightError('wrong-shape', `${op}: ${formatTensor({ dataType, shape })} is no shape`);
  }
  return made([{ dataType, shape }], { op, inputs: {}, options, label, constant: op === 'constant' })[0]!;
}

/** Checks an op, infers its results and returns all of them. An error names the label and the numbers. */
export function results(
  op: string,
  inputs: Readonly<Record<string, Operand | undefined>>,
  options: object = {},
  label?: string,
): readonly Operand[] {
  const given = Object.fromEntries(
    Object.entries(inputs).filter((entry): entry is [string, Operand] => entry[1] !== undefined),
  );
  const all = Object.values(given);
  const definition = opNamed(op);
  try {
    checkOperands(definition, given);
    return made([definition.infer(given, options)].flat(), {
      op,
      inputs: given,
      options,
      label: label ?? all.map((input) => input.label).find(Boolean),
      constant: all.length > 0 && all.every(({ constant }) => constant),
    });
  } catch (error) {
    if (!(error instanceof TilewrightError) || !label) throw error;
    throw new TilewrightError(error.code, `${label}: ${error.message}`, { hint: error.hint, cause: error.cause });
  }
}

/** As `results`: the first, for ops of one result. */
export const operand = (...call: Parameters<typeof results>): Operand => results(...call)[0]!;

export const rewriter = (label: string | undefined): Rewriter => ({
  add: (op, inputs, options) => operand(op, inputs, options, label),
  constant: (dataType, shape, values) => constantOf(dataType, shape, values),
});

/** A constant of these numbers. */
export function constantOf(dataType: DataType, shape: Shape, values: readonly number[]): Operand {
  return leaf('constant', { dataType, shape }, { data: arrayOf(dataType, values) });
}

/** The nodes of the roots and all nodes that these wait for, each after those it waits for. A node is its first result. */
export function ordered(roots: readonly Operand[], waitsFor: (node: Operand) => readonly Operand[]): Operand[] {
  const seen = new Set<Operand>();
  const order: Operand[] = [];
  const stack: { node: Operand; waits: readonly Operand[]; next: number }[] = [];
  const enter = (node: Operand): void => {
    if (seen.has(node)) return;
    seen.add(node);
    stack.push({ node, waits: waitsFor(node), next: 0 });
  };
  for (const root of roots) {
    enter(nodeOf(root));
    while (stack.length) {
      const top = stack.at(-1)!;
      const input = top.waits[top.next++];
      if (input) enter(nodeOf(input));
      else order.push(stack.pop()!.node);
    }
  }
  return order;
}

/** All nodes that the outputs depend on, inputs before users. */
export const topological = ({ outputs }: Graph): Operand[] =>
  ordered(Object.values(outputs), ({ inputs }) => Object.values(inputs));

/** How many operands and outputs use each operand. */
export function countUses(graph: Graph): Map<Operand, number> {
  const uses = new Map<Operand, number>();
  const use = (node: Operand): void => void uses.set(node, (uses.get(node) ?? 0) + 1);
  for (const node of topological(graph)) Object.values(node.inputs).forEach(use);
  Object.values(graph.outputs).forEach(use);
  return uses;
}

/** Replaces a node: a node of as many results, or a list with an operand for each result. */
export type Replacement = Operand | readonly Operand[];

/**
 * Replaces nodes, inputs first. Returns what stands for each result. `replace` gets each node once, on inputs that are
 * replaced already. Inputs that are not among the nodes stay.
 */
export function rebuild(
  nodes: readonly Operand[],
  replace: (node: Operand) => Replacement,
  onReplaced: (original: Operand, now: Operand) => void = () => {},
): Map<Operand, Operand> {
  const done = new Map<Operand, Operand>();
  for (const original of nodes) {
    const { op, inputs, options, label, results } = original;
    const entries = Object.entries(inputs).map(([name, input]) => [name, done.get(input) ?? input] as const);
    const same = entries.every(([name, input]) => inputs[name] === input);
    const found = replace(same ? original : operand(op, Object.fromEntries(entries), options, label));
    const list = !('op' in found) ? found : results.length > 1 ? found.results : [found];
    results.forEach((result, i) => {
      done.set(result, list[i]!);
      onReplaced(result, list[i]!);
    });
  }
  return done;
}

/** Rebuilds a graph from its leaves. `uses(input)` counts the uses of the operand that `input` replaced. */
export function rewrite(
  graph: Graph,
  replace: (node: Operand, uses: (input: Operand) => number) => Replacement,
): Graph {
  const counts = countUses(graph);
  const usesOf = new Map<Operand, number>();
  const uses = (node: Operand): number => usesOf.get(node) ?? 1;
  const count = (original: Operand, now: Operand): void =>
    void usesOf.set(now, Math.max(usesOf.get(now) ?? 0, counts.get(original) ?? 0));
  const done = rebuild(topological(graph), (node) => replace(node, uses), count);
  return {
    outputs: Object.fromEntries(Object.entries(graph.outputs).map(([name, output]) => [name, done.get(output)!])),
  };
}
