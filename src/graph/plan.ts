import { TilewrightError } from '../errors.ts';
import type { Caps } from '../gpu/gpu.ts';
import { paddedBytes } from '../gpu/gpu.ts';
import { brings, variantKey } from '../gpu/wgsl.ts';
import { type Candidate, type Cost, type Op, resultNames } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { byteLength, elementCount, formatShape, formatTensor } from '../tensor/types.ts';
import {
  type Graph,
  isInput,
  isLeaf,
  isState,
  leaf,
  type NamedOptions,
  nodeOf,
  type Operand,
  opOf,
  ordered,
  topological,
} from './ir.ts';
import { type Lifetime, planMemory } from './memory.ts';

/** One dispatch. */
export interface Step {
  readonly node: Operand;
  /** The kernel, with the part of this dispatch where the node has several. */
  readonly candidate: Candidate;
  /** All candidates that are legal here, the chosen one among them. */
  readonly candidates: readonly Candidate[];
  /** Operands that are read, by binding. */
  readonly reads: Readonly<Record<string, Operand>>;
  /** Operands that are written, by binding: results of the node, and scratch. */
  readonly writes: Readonly<Record<string, Operand>>;
  readonly cost: Required<Cost>;
  /** Dispatches of the node, this one among them. */
  readonly dispatches: number;
}

/** What runs, as data: it can be printed, compared and costed without a GPU. */
export interface Plan {
  readonly graph: Graph;
  /** The dispatches of a run, in order. */
  readonly steps: readonly Step[];
  /** Constants that steps read, or that outputs are in. */
  readonly constants: readonly Operand[];
  /** The dispatches that compute the constants, once, at load. */
  readonly prepare: readonly Step[];
  readonly inputs: ReadonlyMap<string, Operand>;
  readonly states: ReadonlyMap<string, Operand>;
  /** Outputs by name, and the operand whose memory each is in. */
  readonly outputs: ReadonlyMap<string, { operand: Operand; storage: Operand }>;
  /** The slot of each intermediate. */
  readonly slots: ReadonlyMap<Operand, number>;
  /** Bytes of each slot. */
  readonly slotBytes: readonly number[];
}

/** Picks one of the candidates of a node. The first is the table's guess for this class of adapter. */
export type Choose = (candidates: readonly Candidate[], node: Operand) => Candidate;

const firstOf: Choose = (candidates) => candidates.find(({ experimental }) => !experimental)!;

/** Follows operands to the input that `next` names, as long as it names one. */
function behind(operand: Operand, next: (op: Partial<Op>, at: Operand) => string | undefined): Operand {
  let at = operand;
  for (let key = next(opOf(at), at); key; key = next(opOf(at), at)) at = at.inputs[key]!;
  return at;
}

/** The operand whose memory this one is in. Aliases and in-place results have no memory of their own. */
export const storageOf = (operand: Operand): Operand =>
  behind(operand, ({ alias, inPlace }, at) => alias ?? (at === nodeOf(at) ? inPlace : undefined));

/** The operand that this one is an alias of; itself where it is none. */
const unaliased = (operand: Operand): Operand => behind(operand, ({ alias }) => alias);

const invalid = (message: string, options?: { hint: string }): TilewrightError =>
  new TilewrightError('invalid-graph', message, options);

const nameOf = ({ label, op }: Operand): string => label ?? op;

const COPY = { hint: 'Copy it with identity.' };

/**
 * The nodes in the order in which they run. A node that reads a state runs before the node that writes onto it. Error:
 * `invalid-graph` where there is no such order, or where two nodes write onto the same version of a state.
 */
function scheduled(graph: Graph): Operand[] {
  const plain = topological(graph);
  const writerOf = new Map<Operand, Operand>();
  const readersOf = new Map<Operand, Operand[]>();
  for (const node of plain) {
    const { inPlace, alias } = opOf(node);
    for (const [key, input] of Object.entries(alias ? {} : node.inputs)) {
      const version = unaliased(input);
      if (key !== inPlace) readersOf.set(version, [...(readersOf.get(version) ?? []), node]);
      else if (!isState(storageOf(version)))
        throw invalid(`${nameOf(node)}: ${node.op} writes onto a state, not onto ${version.op}`);
      else if (writerOf.has(version))
        throw invalid(
          `${nameOf(node)} and ${nameOf(writerOf.get(version)!)} write onto the same state, each as if the other did not`,
          { hint: 'Let the second take what the first returns.' },
        );
      else writerOf.set(version, node);
    }
  }
  for (const [output, operand] of Object.entries(graph.outputs)) {
    const writer = writerOf.get(unaliased(operand));
    if (writer) throw invalid(`output ${output} is a state as it was before ${nameOf(writer)} wrote onto it`, COPY);
  }
  const readers = new Map([...writerOf].map(([version, writer]) => [writer, readersOf.get(version) ?? []]));
  const waits = (node: Operand): Operand[] => [...(readers.get(node) ?? []), ...Object.values(node.inputs)];
  for (const [writer, others] of readers) {
    const late = others.find((reader) => ordered([reader], waits).includes(writer));
    if (late)
      throw invalid(
        `${nameOf(late)} reads a state as it was before ${nameOf(writer)} wrote onto it, but needs what comes after`,
        COPY,
      );
  }
  return ordered(Object.values(graph.outputs), waits);
}

/** Inputs or states by their names. */
function named(order: readonly Operand[], kind: (node: Operand) => boolean): Map<string, Operand> {
  const found = new Map<string, Operand>();
  for (const node of order.filter(kind)) {
    const { name } = node.options as NamedOptions;
    const other = found.get(name);
    if (other && other !== node)
      throw invalid(`two ${node.op}s are named '${name}': ${formatTensor(other)} and ${formatTensor(node)}`);
    found.set(name, node);
  }
  return found;
}

const isComputed = (node: Operand): boolean => !isLeaf(node) && !node.constant;
const isEmpty = ({ shape }: Operand): boolean => elementCount(shape) === 0;

export function plan(graph: Graph, caps: Caps, choose: Choose = firstOf): Plan {
  const order = scheduled(graph);
  for (const node of order.flatMap(({ results }) => results)) needBuffer(node, caps);
  const runs = (node: Operand): boolean => !isLeaf(node) && !opOf(node).alias && !node.results.every(isEmpty);
  const steps = order.filter((node) => runs(node) && isComputed(node)).flatMap((node) => makeSteps(node, caps, choose));
  const outputs = new Map(
    Object.entries(graph.outputs).map(([name, operand]) => [name, { operand, storage: storageOf(operand) }]),
  );
  const needed = new Set([
    ...steps.flatMap(({ reads }) => Object.values(reads)),
    ...[...outputs.values()].map(({ storage }) => storage),
  ]);
  const constants = order.flatMap(({ results }) => results).filter((node) => needed.has(node) && node.constant);
  const prepared = new Set(topological({ outputs: Object.fromEntries(constants.map((node, i) => [i, node])) }));
  const prepare = order
    .filter((node) => prepared.has(node) && runs(node))
    .flatMap((node) => makeSteps(node, caps, choose));

  const lifetimes = new Map<Operand, { bytes: number; from: number; to: number }>();
  const live = (operand: Operand, from: number, to: number): void => {
    const life = lifetimes.get(operand);
    if (life) life.to = to;
    else lifetimes.set(operand, { bytes: paddedBytes(byteLength(operand)), from, to });
  };
  steps.forEach(({ writes, reads }, index) => {
    for (const written of Object.values(writes)) if (!isState(written)) live(written, index, index);
    // What has no elements is read, but written by no step.
    for (const read of Object.values(reads)) if (isComputed(read)) live(read, index, index);
  });
  for (const { storage } of outputs.values()) if (isComputed(storage)) live(storage, steps.length, steps.length);
  const operands = [...lifetimes.keys()];
  const memory = planMemory([...lifetimes.values()] as Lifetime[]);
  return {
    graph,
    steps,
    constants,
    prepare,
    inputs: named([...order, ...(graph.inputs ?? [])], isInput),
    states: named(order, isState),
    outputs,
    slots: new Map(operands.map((node, i) => [node, memory.slots[i]!])),
    slotBytes: memory.sizes,
  }; // prettier-ignore
}

/**
 * Error: `limit-exceeded` for an operand that no buffer holds: what cuts it into pieces would not come to an end.
 * Constants come in slabs, and may be smaller in the end.
 */
function needBuffer(node: Operand, { maxBufferBytes }: Caps): void {
  const bytes = byteLength(node);
  if (node.constant || bytes <= maxBufferBytes) return;
  throw new TilewrightError(
    'limit-exceeded',
    `${nameOf(node)}: ${formatTensor(node)} takes ${bytes} bytes, a buffer holds ${maxBufferBytes} here`,
  );
}

/**
 * The steps of a node: one for each part of its candidate, or for each piece where an operand is larger than a binding
 * may be.
 */
export function makeSteps(node: Operand, caps: Caps, choose: Choose = firstOf): Step[] {
  const op = opNamed(node.op);
  const { results } = node;
  const inputs = Object.values(node.inputs);
  const candidates = op.candidates?.(node.inputs, node.options, node, caps, results) ?? [];
  if (!caps.f16 && candidates.some(({ variant }) => brings(variant, 'enable f16'))) {
    throw new TilewrightError(
      'unsupported-type',
      `${nameOf(node)}: float16 needs the feature shader-f16, which this device lacks`,
    );
  }
  if (!candidates.length || (!op.takesEmpty && inputs.some(isEmpty)))
    throw invalid(`${node.op}: no kernel for ${inputs.map(formatTensor).join(', ')}`);
  const chosen = choose(candidates, node);
  const tensors = [...results, ...inputs];
  const large = tensors.find((operand) => byteLength(operand) > caps.maxBindingBytes);
  if (large && !op.pieces) {
    throw new TilewrightError(
      'limit-exceeded',
      `${nameOf(node)}: ${formatTensor(large)} takes ${byteLength(large)} bytes, a binding holds ${caps.maxBindingBytes} here`,
    );
  }
  const reads = Object.fromEntries(
    Object.entries(node.inputs)
      .filter(([name]) => name !== op.inPlace)
      .map(([name, input]) => [name, storageOf(input)]),
  );
  const names = resultNames(op, results.length);
  const writes = Object.fromEntries([
    ...results.map((result, i) => [names[i]!, storageOf(result)] as const),
    ...Object.entries(chosen.scratch ?? {}).map(
      ([name, descriptor]) => [name, leaf('scratch', descriptor, {}, `${nameOf(node)} ${name}`)] as const,
    ),
  ]);
  const cost = op.cost?.(node.inputs, node.options, node);
  const bytes = [...new Set(inputs), ...results].reduce((sum, tensor) => sum + byteLength(tensor), 0);
  const { parts: own = [{}], ...rest } = chosen;
  const parts = large ? op.pieces!(chosen, node.inputs, node.options, node, caps.maxBindingBytes) : own;
  const share = (amount: number): number => amount / parts.length;
  return parts.map((part): Step => {
    const candidate = { ...rest, ...part };
    if (Math.max(...candidate.grid) > 65535) {
      throw new TilewrightError(
        'limit-exceeded',
        `${chosen.label}: ${candidate.grid.join('×')} workgroups, 65535 at most in a dimension`,
      );
    }
    return {
      node,
      candidate,
      candidates,
      reads,
      writes,
      cost: { macs: share(cost?.macs ?? 0), flops: share(cost?.flops ?? 0), bytes: share(cost?.bytes ?? bytes) },
      dispatches: parts.length,
    }; // prettier-ignore
  });
}

/** `[1,768] · [768,3072]`, `[1,16,32,32]`: shapes of the operands that decide the work. */
export function shapeOf({ node }: Step): string {
  const main = Object.values(node.inputs).filter(({ shape }, i) => i === 0 || (i === 1 && shape.length > 1));
  return main.map(({ shape }) => formatShape(shape)).join(' · ');
}

/** Pipelines that steps take: each variant is compiled once. */
export const pipelinesOf = (steps: readonly Step[]): number =>
  new Set(steps.map(({ candidate }) => variantKey(candidate.variant))).size;

/** One line a step, then the memory: for people, and for a diff in a test. */
export function formatPlan({ steps, prepare, constants, slots, slotBytes, states }: Plan): string {
  const stored = (node: Operand): string => {
    const slot = slots.get(node);
    return slot === undefined
      ? `${isInput(node) || isState(node) ? `${node.op} ${(node.options as NamedOptions).name}` : `const ${node.label ?? ''}`.trim()}`
      : `m${slot}`;
  };
  const lines = steps.map(({ node, candidate, reads, writes }, i) => {
    const inputs = Object.entries(reads).map(([key, operand]) => `${key}=${stored(operand)}`);
    const written = Object.entries(writes).map(([key, operand]) =>
      key === 'output' ? stored(operand) : `${key}=${stored(operand)}`,
    );
    return `${String(i).padStart(3)}  ${candidate.label}  ${node.label ?? ''}  ${inputs.join(' ')} -> ${written.join(' ')} ${node.results.map(formatTensor).join(' ')}  grid ${candidate.grid.join('×')}`;
  });
  const total = (sizes: readonly number[]): string => `${(sizes.reduce((a, b) => a + b, 0) / 1e6).toFixed(2)} MB`;
  return [
    ...lines,
    `${steps.length} dispatches of ${pipelinesOf(steps)} pipelines; ${slots.size} intermediates in ${slotBytes.length} buffers, ${total(slotBytes)}`,
    `${constants.length} constants, ${total(constants.map(byteLength))}, made by ${prepare.length} dispatches of ${pipelinesOf(prepare)} pipelines at load`,
    `${states.size} states, ${total([...states.values()].map(byteLength))}`,
  ].join('\n');
}
