import { paddedBytes } from '../gpu/gpu.ts';
import { type ConstantOptions, isConstant, nodeOf, type Operand, ordered } from '../graph/ir.ts';
import { type Plan, type Step, storageOf } from '../graph/plan.ts';
import { byteLength } from '../tensor/types.ts';
import type { SlabStream } from './slabs.ts';

/** Brings one node to the device: uploads it, streams it in slabs, or computes it. */
export interface Task {
  readonly node: Operand;
  /** The dispatches that compute it; none for an upload. */
  readonly steps: readonly Step[];
  /** Uploads and computes in one: its nodes have no tasks of their own. */
  readonly stream: SlabStream | undefined;
  /** Tensors that get a buffer before the task. */
  readonly takes: readonly Operand[];
  /** Tensors whose buffers are freed after the task. */
  readonly frees: readonly Operand[];
}

/** What brings the constants of a plan to the device. */
export interface Requirements {
  /** Constants that stay. Their buffers are made first. */
  readonly roots: readonly Operand[];
  /** In the order of the file, but inputs before users. */
  readonly tasks: readonly Task[];
  /** Bytes that are uploaded. */
  readonly uploaded: number;
  /** Bytes on the device after the tasks, and at the peak during them. */
  readonly bytes: number;
  readonly peakBytes: number;
}

const sizeOf = (operand: Operand): number => paddedBytes(byteLength(operand));
const sum = (operands: readonly Operand[]): number => operands.reduce((total, operand) => total + sizeOf(operand), 0);

/**
 * Lists what is uploaded, computed and freed, in order. Needs no GPU. `keyOf`: tensors of equal keys are the same.
 * `has`: the device has the tensor already. `streamOf`: how a leaf comes in slabs, or undefined.
 */
export function requirements(
  { constants, prepare }: Pick<Plan, 'constants' | 'prepare'>,
  keyOf: (operand: Operand) => string,
  has: (operand: Operand) => boolean = () => false,
  streamOf: (leaf: Operand, nodes: readonly Operand[], roots: ReadonlySet<Operand>) => SlabStream | undefined = () =>
    undefined,
): Requirements {
  const roots = unique(
    constants.filter((operand) => !has(operand)),
    keyOf,
  );
  const stepsOf = new Map<Operand, Step[]>();
  for (const step of prepare) stepsOf.set(step.node, [...(stepsOf.get(step.node) ?? []), step]);
  const nodes = reachable(roots, has);
  const kept = new Set(roots.map(keyOf));
  const readers = new Map<string, number>();
  const readsOf = (steps: readonly Step[]): Operand[] => steps.flatMap(({ reads }) => Object.values(reads));
  const count = (operand: Operand, change: number): void =>
    void readers.set(keyOf(operand), (readers.get(keyOf(operand)) ?? 0) + change);
  for (const node of nodes) for (const read of readsOf(stepsOf.get(node) ?? [])) count(read, 1);

  const live = new Set(kept);
  const bytes = sum(roots);
  let [now, peakBytes] = [bytes, bytes];
  const streamed = new Set<Operand>();
  const tasks = nodes.flatMap((node): Task[] => {
    if (streamed.has(node)) return [];
    const stream = isConstant(node) ? streamOf(node, nodes, new Set(roots)) : undefined;
    for (const made of stream?.nodes ?? []) streamed.add(made);
    const steps = (stream?.nodes ?? [node]).flatMap((made) => stepsOf.get(made) ?? []);
    const written = stream
      ? []
      : unique([...node.results, ...scratchOf(steps)], keyOf).filter((result) => !has(result));
    const takes = written.filter((operand) => !live.has(keyOf(operand)));
    for (const operand of takes) live.add(keyOf(operand));
    now += sum(takes);
    peakBytes = Math.max(peakBytes, now + (stream?.bytes ?? 0));
    const reads = readsOf(steps);
    for (const read of reads) count(read, -1);
    const frees = unique([...reads, ...written], keyOf).filter((operand) => {
      const key = keyOf(operand);
      return live.has(key) && !kept.has(key) && !readers.get(key);
    });
    for (const operand of frees) live.delete(keyOf(operand));
    now -= sum(frees);
    return [{ node, steps, stream, takes, frees }];
  });
  const uploaded = nodes.filter(isConstant).reduce((total, leaf) => total + byteLength(leaf), 0);
  return { roots, tasks, uploaded, bytes, peakBytes };
}

const scratchOf = ([step]: readonly Step[]): Operand[] =>
  Object.values(step?.writes ?? {}).filter(({ op }) => op === 'scratch');

/** The first of each key. */
function unique(operands: readonly Operand[], keyOf: (operand: Operand) => string): Operand[] {
  const seen = new Set<string>();
  return operands.filter((operand) => !seen.has(keyOf(operand)) && seen.add(keyOf(operand)));
}

/** The nodes that the roots depend on, inputs first. Roots come in the order of the file, by their last leaf. */
function reachable(roots: readonly Operand[], has: (operand: Operand) => boolean): Operand[] {
  const inputsOf = ({ inputs }: Operand): Operand[] => Object.values(inputs);
  /** Place in the file of the last leaf of a node. */
  const placeOf = new Map<Operand, number>();
  for (const node of ordered(roots, inputsOf)) {
    const { source } = node.options as ConstantOptions;
    const inputs = inputsOf(node).map((input) => placeOf.get(nodeOf(input))!);
    placeOf.set(node, Math.max(source?.order ?? 0, ...inputs));
  }
  const place = (operand: Operand): number => placeOf.get(nodeOf(operand))!;
  const order = ordered(
    roots.toSorted((a, b) => place(a) - place(b)),
    inputsOf,
  );
  const needed = new Set(roots);
  for (const node of order.toReversed()) {
    if (!node.results.some((result) => needed.has(result))) continue;
    for (const input of inputsOf(node)) if (!has(input)) needed.add(input);
  }
  return order.filter((node) => storageOf(node) === node && node.results.some((result) => needed.has(result)));
}
