import type { Gpu } from '../../src/gpu/gpu.ts';
import { type Graph, leaf, type Operand, operand } from '../../src/graph/ir.ts';
import type { Choose } from '../../src/graph/plan.ts';
import { Session } from '../../src/runtime/session.ts';
import { type DataType, formatTensor, type TensorData } from '../../src/tensor/types.ts';
import { REFERENCES } from '../reference/index.ts';
import type { RefInputs, RefTensor } from '../reference/tensor.ts';
import { type OpCase, specOf } from './case.ts';
import { findFault } from './tolerances.ts';
import { asNumbers, makeTensor } from './values.ts';

export type Float = 'float32' | 'float16';

/** Float types that a case runs in: both, unless its inputs leave no choice. */
export function floatsOf(test: OpCase, f16: boolean): Float[] {
  const free = Object.keys(test.inputs).some((name) => specOf(test, name).dataType === undefined);
  return free && f16 ? ['float32', 'float16'] : ['float32'];
}

/** Whether the case needs float16 whatever it runs in. */
export const needsF16 = (test: OpCase): boolean =>
  Object.keys(test.inputs).some((name) => specOf(test, name).dataType === 'float16') ||
  (test.options as { to?: DataType }).to === 'float16';

const RUNS = [0, 1];

interface Prepared {
  readonly graph: Graph;
  /** For each run, what is written. */
  readonly data: readonly Readonly<Record<string, TensorData>>[];
  readonly wants: readonly RefTensor[];
}

/** The graph of the op alone, with the data and the expected result of each run. */
export function prepare(test: OpCase, float: Float): Prepared {
  const operands: Record<string, Operand> = {};
  const data: Record<string, TensorData>[] = RUNS.map(() => ({}));
  const references: Record<string, RefTensor>[] = RUNS.map(() => ({}));
  for (const [name, spec] of Object.entries(test.inputs)) {
    if (typeof spec === 'string') {
      operands[name] = operands[spec]!;
      for (const run of RUNS) references[run]![name] = references[run]![spec]!;
      continue;
    }
    const full = specOf(test, name);
    const { shape, dataType = float, role = 'input' } = full;
    const made = RUNS.map((run) => makeTensor(full, dataType, role === 'input' ? run : 0, `${test.title} ${name}`));
    for (const run of RUNS) {
      references[run]![name] = made[run]!.reference;
      if (role === 'input') data[run]![name] = made[run]!.data;
    }
    operands[name] =
      role === 'constant'
        ? leaf('constant', { dataType, shape }, { data: made[0]!.data })
        : leaf(role, { dataType, shape }, { name });
  }
  const graph = { outputs: { output: operand(test.op, operands, test.options) } };
  return { graph, data, wants: expectedOf(test, references) };
}

/** What each run shall give; a state is made of zeros at first, and then what the run before made of it. */
function expectedOf(test: OpCase, references: readonly RefInputs[]): RefTensor[] {
  const wants: RefTensor[] = [];
  for (const inputs of references) {
    const { state } = inputs;
    const before = state && { state: wants.at(-1) ?? { ...state, data: new Float64Array(state.data.length) } };
    wants.push(REFERENCES.get(test.op)!({ ...inputs, ...before }, test.options));
  }
  return wants;
}

export interface Verdict {
  /** What went wrong: candidate, type, run, element. */
  readonly faults: string[];
  /** Labels of the variants that were run. */
  readonly labels: string[];
}

/** Runs every candidate of the case's op, each twice on one session with different numbers. */
export async function checkCase(gpu: Gpu, test: OpCase): Promise<Verdict> {
  const faults: string[] = [];
  const labels: string[] = [];
  for (const float of floatsOf(test, gpu.caps.f16)) {
    const { graph, data, wants } = prepare(test, float);
    const output = graph.outputs.output!;
    if (formatTensor(output) !== formatTensor(wants[0]!)) {
      faults.push(`${float}: the output is ${formatTensor(output)}, expected ${formatTensor(wants[0]!)}`);
      continue;
    }
    for (let candidate = 0, count = 1; candidate < count; candidate++) {
      let label = `${test.op} of other ops`;
      const choose: Choose = (candidates, node) => {
        if (node.op !== test.op) return candidates[0]!;
        count = Math.max(count, candidates.length);
        const chosen = candidates[Math.min(candidate, candidates.length - 1)]!;
        label = chosen.label;
        return chosen;
      };
      const session = await Session.build(gpu, graph, { choose });
      labels.push(label);
      try {
        for (const run of RUNS) {
          // What the op makes no use of is no input of the plan.
          const written = Object.entries(data[run]!).filter(([name]) => session.plan.inputs.has(name));
          const result = await session.run(Object.fromEntries(written));
          const fault = findFault(test, asNumbers(result.output!, output.dataType), wants[run]!);
          if (fault) faults.push(`${label} ${float} run ${run}: ${fault}`);
        }
      } finally {
        session.dispose();
      }
    }
  }
  return { faults, labels };
}
