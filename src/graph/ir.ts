import { TilewrightError } from '../errors.ts';
import type { Rewriter, Shape } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { toHalf } from '../tensor/half.ts';
import type { TensorSource } from '../tensor/source.ts';
import {
  type DataType,
  elementCount,
  formatTensor,
  type TensorData,
  type TensorDescriptor,
  typedArray,
} from '../tensor/types.ts';

/**
 * A node and its only output: SSA, immutable, static shape. What has no op of its own is a leaf: `input`, `constant`,
 * `state`. A graph is what hangs on its outputs, so code nobody asks for is never there.
 */
export interface Operand extends TensorDescriptor {
  readonly id: number;
  readonly op: string;
  readonly inputs: Readonly<Record<string, Operand>>;
  readonly options: object;
  /** Where it comes from, for people: `layer1.0.conv1`. */
  readonly label: string | undefined;
}

export interface ConstantOptions {
  readonly source?: TensorSource;
  readonly data?: TensorData;
}

export interface NamedOptions {
  readonly name: string;
}

/** What runs: named outputs, and the states in use. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Operand>>;
}

/** A pass takes a graph and returns another that computes the same; it changes nothing in place. */
export type Pass = (graph: Graph) => Graph;

let ids = 0;

export function leaf(op: 'input' | 'state', descriptor: TensorDescriptor, options: NamedOptions): Operand;
export function leaf(op: 'constant', descriptor: TensorDescriptor, options: ConstantOptions, label?: string): Operand;
export function leaf(op: string, { dataType, shape }: TensorDescriptor, options: object, label?: string): Operand {
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new TilewrightError('wrong-shape', `${op}: ${formatTensor({ dataType, shape })} is no shape`);
  }
  return { id: ids++, op, inputs: {}, options, dataType, shape: [...shape], label };
}

/** Infers and checks an op, or throws an error that names the numbers and the operand's label. */
export function operand(
  op: string,
  inputs: Readonly<Record<string, Operand | undefined>>,
  options: object = {},
  label?: string,
): Operand {
  const given = Object.fromEntries(
    Object.entries(inputs).filter((entry): entry is [string, Operand] => entry[1] !== undefined),
  );
  const labels = Object.values(given).map((input) => input.label);
  const name = label ?? labels.find(Boolean);
  try {
    const { dataType, shape } = opNamed(op).infer(given, options);
    return { id: ids++, op, inputs: given, options, dataType, shape: [...shape], label: name };
  } catch (error) {
    if (!(error instanceof TilewrightError) || !label) throw error;
    throw new TilewrightError(error.code, `${label}: ${error.message}`, { hint: error.hint, cause: error.cause });
  }
}

export const rewriter = (label: string | undefined): Rewriter<Operand> => ({
  add: (op, inputs, options) => operand(op, inputs, options, label),
  constant: (dataType, shape, values) => constantOf(dataType, shape, values),
});

/** A constant of numbers made here. */
export function constantOf(dataType: DataType, shape: Shape, values: readonly number[]): Operand {
  const data = typedArray(dataType, elementCount(shape));
  values.forEach((value, i) => {
    data[i] = dataType === 'float16' ? toHalf(value) : value;
  });
  return leaf('constant', { dataType, shape }, { data });
}

/** All operands that the outputs hang on, inputs before users. */
export function topological(graph: Graph): Operand[] {
  const seen = new Set<Operand>();
  const order: Operand[] = [];
  const visit = (start: Operand): void => {
    const stack: [Operand, number][] = [[start, 0]];
    seen.add(start);
    while (stack.length) {
      const top = stack.at(-1)!;
      const [node, next] = top;
      const inputs = Object.values(node.inputs);
      if (next < inputs.length) {
        top[1]++;
        const input = inputs[next]!;
        if (!seen.has(input)) {
          seen.add(input);
          stack.push([input, 0]);
        }
      } else {
        order.push(node);
        stack.pop();
      }
    }
  };
  for (const output of Object.values(graph.outputs)) if (!seen.has(output)) visit(output);
  return order;
}

/** How many operands and outputs use each operand. */
export function countUses(graph: Graph): Map<Operand, number> {
  const uses = new Map<Operand, number>();
  const use = (node: Operand): void => void uses.set(node, (uses.get(node) ?? 0) + 1);
  for (const node of topological(graph)) Object.values(node.inputs).forEach(use);
  Object.values(graph.outputs).forEach(use);
  return uses;
}

/** An operand that no run changes: a constant, or what is computed from constants alone. */
export function constantOperands(graph: Graph): Set<Operand> {
  const constant = new Set<Operand>();
  for (const node of topological(graph)) {
    const inputs = Object.values(node.inputs);
    if (node.op === 'constant' || (inputs.length > 0 && inputs.every((input) => constant.has(input))))
      constant.add(node);
  }
  return constant;
}

/**
 * Rebuilds a graph from its leaves: `replace` gets each operand with its inputs already replaced, and how often the
 * operand it stands for is used, and returns what shall stand there.
 */
export function rewrite(graph: Graph, replace: (node: Operand, uses: (input: Operand) => number) => Operand): Graph {
  const counts = countUses(graph);
  const done = new Map<Operand, Operand>();
  const usesOf = new Map<Operand, number>();
  const uses = (node: Operand): number => usesOf.get(node) ?? 1;
  for (const node of topological(graph)) {
    const entries = Object.entries(node.inputs);
    const inputs = Object.fromEntries(entries.map(([name, input]) => [name, done.get(input)!]));
    const same = entries.every(([name, input]) => inputs[name] === input);
    const result = replace(same ? node : operand(node.op, inputs, node.options, node.label), uses);
    done.set(node, result);
    usesOf.set(result, Math.max(usesOf.get(result) ?? 0, counts.get(node) ?? 0));
  }
  return {
    outputs: Object.fromEntries(Object.entries(graph.outputs).map(([name, output]) => [name, done.get(output)!])),
  };
}
