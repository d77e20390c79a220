import type { Caps, Gpu } from '../gpu/gpu.ts';
import { type Graph, leaf, type Operand, operand } from '../graph/ir.ts';
import type { Choose } from '../graph/plan.ts';
import { addOps } from '../ops/index.ts';
import { quantization } from '../ops/quantize.ts';
import { Session } from '../runtime/session.ts';
import { elementCount, formatTensor, type TensorData } from '../tensor/types.ts';
import { type OpCase, specOf } from './case.ts';
import { REFERENCES } from './reference/index.ts';
import { build, type RefTensor } from './reference/tensor.ts';
import { findFault } from './tolerances.ts';
import { asNumbers, makeTensor } from './values.ts';

// They load when they are asked for, and are among the cases.
addOps(quantization);

export type Float = 'float32' | 'float16';

/**
 * Float types that a case runs in: float16 where the device has it (llvmpipe, whose compiler takes seconds a variant: there
 * it stands in for float32, which Chrome has checked), unless the inputs leave no choice.
 */
export function floatsOf(test: OpCase, { f16, longKernels }: Caps): Float[] {
  const free = Object.keys(test.inputs).some((name) => specOf(test, name).dataType === undefined);
  if (!free || !f16 || test.float32Only) return ['float32'];
  return longKernels ? ['float32', 'float16'] : ['float16'];
}

const RUNS = [0, 1];

/** The tensor of an input in a run; only inputs differ from run to run. */
function tensorOf(test: OpCase, name: string, float: Float, run: number): { data: TensorData; reference: RefTensor } {
  const { role = 'input', ...spec } = specOf(test, name);
  return makeTensor(spec, spec.dataType ?? float, role === 'input' ? run : 0, `${test.title} ${name}`);
}

/** The graph of the op alone. */
export function graphOf(test: OpCase, float: Float): Graph {
  const operands: Record<string, Operand> = {};
  for (const [name, spec] of Object.entries(test.inputs)) {
    const { shape, dataType = float, role = 'input' } = specOf(test, name);
    if (typeof spec === 'string') operands[name] = operands[spec]!;
    else if (role !== 'constant') operands[name] = leaf(role, { dataType, shape }, { name });
    else operands[name] = leaf(role, { dataType, shape }, { data: tensorOf(test, name, float, 0).data });
  }
  return { outputs: { output: operand(test.op, operands, test.options) } };
}

interface Run {
  /** What is written before it. */
  readonly data: Readonly<Record<string, TensorData>>;
  readonly want: RefTensor;
}

/** The numbers that go in at each run, and what shall come out. A state is zeros at first, then what the run before left. */
export function runsOf(test: OpCase, float: Float): Run[] {
  let state: RefTensor | undefined;
  return RUNS.map((run) => {
    const data: Record<string, TensorData> = {};
    const references: Record<string, RefTensor> = {};
    for (const [name, spec] of Object.entries(test.inputs)) {
      const made = tensorOf(test, typeof spec === 'string' ? spec : name, float, run);
      const { role = 'input' } = specOf(test, name);
      if (role === 'input' && typeof spec !== 'string') data[name] = made.data;
      const { shape, dataType } = made.reference;
      references[name] = role === 'state' ? (state ?? build(dataType, shape, () => 0)) : made.reference;
    }
    const want = REFERENCES.get(test.op)!(references, test.options);
    if (references['state']) state = want;
    return { data, want };
  });
}

export interface Verdict {
  /** What went wrong: candidate, type, run, element. */
  readonly faults: string[];
  /** Labels of the variants that were run. */
  readonly labels: string[];
}

/** Nothing tuned, no op in another's place. */
const AS_IT_IS = { tune: 'off', without: ['winograd'] } as const;

/** Labels of the candidates of the op, or what stands for them where the op is made of others. */
async function candidatesOf(gpu: Gpu, { op }: OpCase, graph: Graph): Promise<string[]> {
  const { steps: all } = await Session.plan(gpu, graph, AS_IT_IS);
  const steps = all.filter(({ node }) => node.op === op);
  const lists = steps.map(({ candidates }) => candidates.map(({ label }) => label));
  return lists.sort((a, b) => b.length - a.length)[0] ?? [`${op} of other ops`];
}

/**
 * llvmpipe takes seconds for each unrolled product: there, epilogues are checked behind the first candidate only. They are the
 * same modules behind all of them, and Chrome checks all.
 */
const worthCompiling = ({ caps }: Gpu, label: string, index: number): boolean =>
  caps.longKernels || index === 0 || !/_(registers|subgroups|tiled)\[/.test(label) || label.includes(',none,');

/** Runs every candidate of the case's op, each twice on one session with different numbers. */
export async function checkCase(gpu: Gpu, test: OpCase, floats = floatsOf(test, gpu.caps)): Promise<Verdict> {
  const faults: string[] = [];
  const labels: string[] = [];
  for (const float of floats) {
    const graph = graphOf(test, float);
    const runs = runsOf(test, float);
    const output = graph.outputs.output!;
    if (formatTensor(output) !== formatTensor(runs[0]!.want)) {
      faults.push(`${float}: the output is ${formatTensor(output)}, expected ${formatTensor(runs[0]!.want)}`);
      continue;
    }
    const wanted = [...(await candidatesOf(gpu, test, graph)).entries()].filter(([index, label]) =>
      worthCompiling(gpu, label, index),
    );
    const built = await Promise.all(
      wanted.map(async ([index, label]) => {
        const choose: Choose = (candidates, { op }) =>
          candidates[op === test.op ? Math.min(index, candidates.length - 1) : 0]!;
        return { label, session: await Session.build(gpu, graph, { ...AS_IT_IS, choose }) };
      }),
    );
    for (const { label, session } of built) {
      labels.push(label);
      try {
        for (const [run, { data, want }] of runs.entries()) {
          // What the op makes no use of is no input of the plan.
          const written = Object.entries(data).filter(([name]) => session.plan.inputs.has(name));
          const result = await session.run(Object.fromEntries(written));
          const fault = findFault(
            test,
            asNumbers(result['output']!, output.dataType, elementCount(output.shape)),
            want,
          );
          if (fault) faults.push(`${label} ${float} run ${run}: ${fault}`);
        }
      } finally {
        session.dispose();
      }
    }
  }
  return { faults, labels };
}
