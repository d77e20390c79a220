import type { Operand } from '../graph/ir.ts';
import type { Plan } from '../graph/plan.ts';
import type { Candidate } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { type InputSpec, type OpCase, test, type Values } from './case.ts';
import { DOMAIN, operandsOf } from './cases/elementwise.ts';
import { randomNumbers } from './values.ts';

/** What a plan dispatches, as a case: the op of a node alone, on inputs of its shapes. */
export interface Dispatch {
  readonly test: OpCase;
  /** Where it first occurs in the model, and how often. */
  readonly label: string;
  readonly count: number;
  readonly candidate: Candidate;
  readonly candidates: readonly Candidate[];
}

/** The dispatches of plans, those at load too, each kernel once for each shape. */
export function dispatchesOf(plans: readonly Plan[]): Dispatch[] {
  const found = new Map<string, Dispatch>();
  for (const { prepare, steps } of plans) {
    const seen = new Set<Operand>(); // what is cut into pieces has a step for each
    for (const { node, candidate, candidates } of [...prepare, ...steps]) {
      if (seen.has(node)) continue;
      seen.add(node);
      const made = caseOf(node);
      const key = `${made.title} ${candidate.label}`;
      const known = found.get(key) ?? { test: made, label: node.label ?? node.op, count: 0, candidate, candidates };
      found.set(key, { ...known, count: known.count + 1 });
    }
  }
  return [...found.values()];
}

/** The op of a node, on inputs of the same shapes and types. */
export function caseOf(node: Operand): OpCase {
  const { inPlace } = opNamed(node.op);
  const names = new Map<Operand, string>();
  const inputs = Object.entries(node.inputs).map(([name, input]): [string, InputSpec] => {
    const twin = names.get(input);
    if (twin) return [name, twin];
    names.set(input, name);
    const { dataType, shape } = input;
    if (name === inPlace) return [name, { dataType, shape, role: 'state' }];
    // As bits of float16 that a product of float32 reads, only constants stay what they are.
    const kept = dataType === 'float16' && node.dataType === 'float32' && { role: 'constant' as const };
    return [name, { dataType, shape, values: valuesOf(node, name), ...kept }];
  });
  return test(node.op, Object.fromEntries(inputs), node.options);
}

/** Numbers that an op may be given: where any would do, random ones. */
function valuesOf({ op, inputs, options }: Operand, name: string): Values {
  const { shape } = inputs[name]!;
  if (name === 'positions') {
    const [among, axis] = op === 'attention' ? [inputs['key']!, -2] : [inputs['state']!, 0];
    const room = Math.max(0, among.shape.at(axis)! - shape[0]!);
    return (run) => Array.from({ length: shape[0]! }, (_, i) => (run ? room >> 1 : room) + i);
  }
  if (name === 'indices')
    return { low: 0, high: inputs['input']!.shape.at((options as { axis?: number }).axis ?? 0)! - 1 };
  if (name === 'settings') return (run) => (run ? [0.8, 40, 1, 0.37] : [0, 1, 1, 0]);
  if (name === 'scales' || (name === 'scale' && op.endsWith('Linear'))) return { low: 0.005, high: 0.02 };
  if (name === 'condition') return 'mask';
  if (name === 'variance' || op.startsWith('reduceLog')) return 'positive';
  if (op === 'widen') return narrowBits;
  if (name === 'a' || name === 'b') return operandsOf(op)[name === 'a' ? 0 : 1];
  return DOMAIN[op] ?? 'random';
}

/** Pairs of float16 or bfloat16, each below 2: the highest bit of the exponent is clear. */
function narrowBits(run: number): number[] {
  const random = randomNumbers(`halves ${run}`);
  return Array.from({ length: 4099 }, () => (Math.floor(random() * 2 ** 32) & 0xbfffbfff) >>> 0);
}
