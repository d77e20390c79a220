import { TilewrightError } from '../errors.ts';
import type { Caps } from '../gpu/gpu.ts';
import { paddedBytes } from '../gpu/gpu.ts';
import type { WgslModule } from '../gpu/wgsl.ts';
import type { Candidate, Cost } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { byteLength, formatShape, formatTensor } from '../tensor/types.ts';
import { constantOperands, type Graph, type NamedOptions, type Operand, topological } from './ir.ts';
import { type Lifetime, planMemory } from './memory.ts';

/** One dispatch. */
export interface Step {
  readonly node: Operand;
  readonly candidate: Candidate;
  /** All that would be legal here, the choice among them. */
  readonly candidates: readonly Candidate[];
  /** Operands of the op whose storage is read. */
  readonly reads: Readonly<Record<string, Operand>>;
  /** The operand whose storage is written. */
  readonly writes: Operand;
  readonly cost: Required<Cost>;
}

/** What runs, as data: it can be printed, compared and costed without a GPU. */
export interface Plan {
  readonly graph: Graph;
  readonly steps: readonly Step[];
  /** Storage that no run changes: computed once from the weights (prepare) and read by steps. */
  readonly constants: readonly Operand[];
  /** The dispatches that compute the constants. */
  readonly prepare: readonly Step[];
  readonly inputs: ReadonlyMap<string, Operand>;
  readonly states: ReadonlyMap<string, Operand>;
  /** The operand in whose storage each output lies. */
  readonly outputs: ReadonlyMap<string, { operand: Operand; storage: Operand }>;
  /** Intermediates to slots of shared memory. */
  readonly slots: ReadonlyMap<Operand, number>;
  readonly slotBytes: readonly number[];
}

/** Picks among the legal candidates of a step; the first is the table's guess for this class of adapter. */
export type Choose = (candidates: readonly Candidate[], node: Operand) => Candidate;

const firstOf: Choose = (candidates) => candidates[0]!;

/** The operand whose storage this one's bytes are in: aliases and in-place updates have none of their own. */
export function storageOf(node: Operand): Operand {
  for (;;) {
    const definition = isLeaf(node) ? undefined : opNamed(node.op);
    const through = definition?.alias ?? definition?.inPlace;
    if (!through) return node;
    node = node.inputs[through]!;
  }
}

export const isLeaf = ({ op }: Operand): boolean => op === 'input' || op === 'constant' || op === 'state';

export function plan(graph: Graph, caps: Caps, choose: Choose = firstOf): Plan {
  const order = topological(graph);
  const constant = constantOperands(graph);
  const runs = (node: Operand): boolean => !isLeaf(node) && !opNamed(node.op).alias;
  const steps = order
    .filter((node) => runs(node) && !constant.has(node))
    .flatMap((node) => makeSteps(node, caps, choose));
  const outputs = new Map(
    Object.entries(graph.outputs).map(([name, operand]) => [name, { operand, storage: storageOf(operand) }]),
  );
  const needed = new Set([
    ...steps.flatMap(({ reads }) => Object.values(reads)),
    ...[...outputs.values()].map(({ storage }) => storage),
  ]);
  const constants = order.filter((node) => needed.has(node) && constant.has(node));
  const prepared = new Set(topological({ outputs: Object.fromEntries(constants.map((node, i) => [i, node])) }));
  const prepare = order
    .filter((node) => prepared.has(node) && runs(node))
    .flatMap((node) => makeSteps(node, caps, choose));
  const named = (op: string): Map<string, Operand> =>
    new Map(order.filter((node) => node.op === op).map((node) => [(node.options as NamedOptions).name, node]));
  const [inputs, states] = [named('input'), named('state')];

  const lifetimes = new Map<Operand, { bytes: number; from: number; to: number }>();
  steps.forEach(({ writes, reads }, index) => {
    if (!isLeaf(writes)) lifetimes.set(writes, { bytes: paddedBytes(byteLength(writes)), from: index, to: index });
    for (const read of Object.values(reads)) {
      const life = lifetimes.get(read);
      if (life) life.to = index;
    }
  });
  for (const { storage } of outputs.values()) {
    const life = lifetimes.get(storage);
    if (life) life.to = steps.length;
  }
  const operands = [...lifetimes.keys()];
  const memory = planMemory([...lifetimes.values()] as Lifetime[]);
  return {
    graph,
    steps,
    constants,
    prepare,
    inputs,
    states,
    outputs,
    slots: new Map(operands.map((node, i) => [node, memory.slots[i]!])),
    slotBytes: memory.sizes,
  }; // prettier-ignore
}

/** The dispatches of an operand: one, or several where something is larger than a binding may be. */
export function makeSteps(node: Operand, caps: Caps, choose: Choose = firstOf): Step[] {
  const op = opNamed(node.op);
  const output = { dataType: node.dataType, shape: node.shape };
  const candidates = op.candidates?.(node.inputs, node.options, output, caps) ?? [];
  if (!caps.f16 && candidates.some(({ variant }) => variant.ports.some(usesF16))) {
    throw new TilewrightError(
      'unsupported-type',
      `${node.label ?? node.op}: float16 needs the feature shader-f16, which this device lacks`,
    );
  }
  if (!candidates.length)
    throw new TilewrightError(
      'invalid-graph',
      `${node.op}: no kernel for ${Object.values(node.inputs).map(formatTensor).join(', ')}`,
    );
  const chosen = choose(candidates, node);
  const [x, y, z] = chosen.grid;
  if (Math.max(x, y, z) > 65535) {
    throw new TilewrightError(
      'limit-exceeded',
      `${chosen.label}: ${x}×${y}×${z} workgroups, 65535 at most in a dimension`,
    );
  }
  const large = [node, ...Object.values(node.inputs)].find((operand) => byteLength(operand) > caps.maxBindingBytes);
  if (large && !op.split) {
    throw new TilewrightError(
      'limit-exceeded',
      `${node.label ?? node.op}: ${formatTensor(large)} takes ${byteLength(large)} bytes, a binding holds ${caps.maxBindingBytes} here`,
    );
  }
  const reads = Object.entries(node.inputs)
    .filter(([name]) => name !== op.inPlace)
    .map(([name, input]) => [name, storageOf(input)]);
  const writes = storageOf(node);
  const cost = op.cost?.(node.inputs, node.options, output);
  const bytes = [...new Set(Object.values(node.inputs))].reduce(
    (sum, input) => sum + byteLength(input),
    byteLength(output),
  );
  const pieces = large ? op.split!(chosen, node.inputs, node.options, output, caps.maxBindingBytes) : [chosen];
  const share = (amount: number): number => amount / pieces.length;
  return pieces.map((candidate) => ({
    node,
    candidate,
    candidates,
    writes,
    reads: Object.fromEntries(reads),
    cost: { macs: share(cost?.macs ?? 0), flops: share(cost?.flops ?? 0), bytes: share(cost?.bytes ?? bytes) },
  })); // prettier-ignore
}

/** `[1,768] · [768,3072]`, `[1,16,32,32]`: the operands that decide the work. */
export function shapeOf({ node }: Step): string {
  const { a, b, input, filter, query } = node.inputs;
  const main = [a ?? input ?? query, b ?? filter].filter((operand) => operand !== undefined);
  return main.map(({ shape }) => formatShape(shape)).join(' · ') || formatShape(node.shape);
}

const usesF16 = ({ source }: WgslModule): boolean => source.startsWith('enable f16');

/** One line a step, then the memory: for people, and for a diff in a test. */
export function formatPlan({ steps, prepare, constants, slots, slotBytes, states }: Plan): string {
  const name = (node: Operand): string => {
    const slot = slots.get(node);
    return slot === undefined
      ? `${node.op === 'input' || node.op === 'state' ? `${node.op} ${(node.options as NamedOptions).name}` : `const ${node.label ?? ''}`.trim()}`
      : `m${slot}`;
  };
  const lines = steps.map(({ node, candidate, reads, writes }, i) => {
    const inputs = Object.entries(reads).map(([key, operand]) => `${key}=${name(operand)}`);
    return `${String(i).padStart(3)}  ${candidate.label}  ${node.label ?? ''}  ${inputs.join(' ')} -> ${name(writes)} ${formatTensor(node)}  grid ${candidate.grid.join('×')}`;
  });
  const total = (sizes: readonly number[]): string => `${(sizes.reduce((a, b) => a + b, 0) / 1e6).toFixed(2)} MB`;
  return [
    ...lines,
    `${steps.length} dispatches; ${slots.size} intermediates in ${slotBytes.length} buffers, ${total(slotBytes)}`,
    `${constants.length} constants, ${total(constants.map(byteLength))}, made by ${prepare.length} dispatches at load`,
    `${states.size} states, ${total([...states.values()].map(byteLength))}`,
  ].join('\n');
}
