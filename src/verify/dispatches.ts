import type { Operand } from '../graph/ir.ts';
import type { Plan } from '../graph/plan.ts';
import type { Candidate } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { type InputSpec, type OpCase, test } from './case.ts';

/** A node of a plan as a case: its op, on inputs of the same shapes and types. */
export interface Dispatch {
  readonly test: OpCase;
  /** The label of the first such node in the model, and how many there are. */
  readonly label: string;
  readonly count: number;
  readonly candidate: Candidate;
  readonly candidates: readonly Candidate[];
}

/** The nodes of plans, those at load too: each kernel once for each shape. */
export function dispatchesOf(plans: readonly Plan[]): Dispatch[] {
  const found = new Map<string, Dispatch>();
  for (const { prepare, steps } of plans) {
    const seen = new Set<Operand>(); // a node may have several steps
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

/** The case of a node. */
export function caseOf(node: Operand): OpCase {
  const { inPlace, values } = opNamed(node.op);
  const names = new Map<Operand, string>();
  const inputs = Object.entries(node.inputs).map(([name, input]): [string, InputSpec] => {
    const twin = names.get(input);
    if (twin) return [name, twin];
    names.set(input, name);
    const { dataType, shape } = input;
    if (name === inPlace) return [name, { dataType, shape, role: 'state' }];
    // float16 weights of a float32 product: as constants they keep their type.
    const kept = dataType === 'float16' && node.dataType === 'float32' && { role: 'constant' as const };
    return [name, { dataType, shape, values: values?.(name, node.inputs, node.options) ?? 'random', ...kept }];
  });
  return test(node.op, Object.fromEntries(inputs), node.options);
}
