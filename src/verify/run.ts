import { buildSession, planOf } from '../build/build.ts';
import type { Caps, Gpu } from '../gpu/gpu.ts';
import { type Graph, leaf, type Operand, results } from '../graph/ir.ts';
import type { Choose } from '../graph/plan.ts';
import { type Candidate, resultNames } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { formatTensor, type TensorData, type TensorDescriptor } from '../tensor/types.ts';
import { type OpCase, specOf } from './case.ts';
import { type Run, runOnce } from './check.ts';
import { REFERENCES } from './reference/index.ts';
import { build, type RefTensor } from './reference/tensor.ts';
import { describeFault, isWrong } from './tolerances.ts';
import { makeTensor } from './values.ts';

export type Float = 'float32' | 'float16';

/**
 * Float types that a case runs in: float32, and float16 where the device has it and the inputs allow it. llvmpipe's
 * compiler takes seconds a variant: there float16 stands in for float32, which Chrome checks, unless `every` is set.
 */
export function floatsOf(test: OpCase, caps: Caps, every = false): Float[] {
  const free = Object.keys(test.inputs).some((name) => specOf(test, name).dataType === undefined);
  if (!free || !caps.f16 || (test.float32Only && !every)) return ['float32'];
  return caps.longKernels || every ? ['float32', 'float16'] : ['float16'];
}

const RUNS = [0, 1];

/** The tensor of an input in a run. Constants are the same in every run. */
function tensorOf(test: OpCase, name: string, float: Float, run: number): { data: TensorData; reference: RefTensor } {
  const { role = 'input', ...spec } = specOf(test, name);
  const seed = `${test.title} ${name}`;
  const type = spec.dataType ?? float;
  return role === 'input'
    ? makeTensor(spec, type, run, seed)
    : makeTensor(spec, type, 0, seed, Number.POSITIVE_INFINITY);
}

/** The graph of one op. */
export function graphOf(test: OpCase, float: Float): Graph {
  const operands: Record<string, Operand> = {};
  for (const [name, spec] of Object.entries(test.inputs)) {
    const { shape, dataType = float, role = 'input' } = specOf(test, name);
    if (typeof spec === 'string') operands[name] = operands[spec]!;
    else if (role !== 'constant') operands[name] = leaf(role, { dataType, shape }, { name });
    else operands[name] = leaf(role, { dataType, shape }, { data: tensorOf(test, name, float, 0).data });
  }
  const made = results(test.op, operands, test.options);
  const names = resultNames(opNamed(test.op), made.length);
  return { outputs: Object.fromEntries(made.map((result, i) => [names[i]!, result])) };
}

/** Inputs and right results of each run. A state is zeros at first, then what the run before left. */
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
    const want = [REFERENCES.get(test.op)!(references, test.options)].flat();
    if (references['state']) state = want[0];
    return { data, want };
  });
}

export interface Verdict {
  /** What went wrong: candidate, type, run, element. */
  readonly faults: string[];
  /** Labels of the variants that ran. */
  readonly labels: string[];
}

/** The op runs as it is: no tuning, no pass that replaces it. */
export const ALONE = { tune: 'off', without: ['winograd'] } as const;

export interface Extent {
  /** Every float type, however long the compiler takes. */
  readonly every?: boolean;
  /** The candidates to run; all where absent. */
  readonly only?: (candidate: Candidate) => boolean;
  /** Float types; those of `floatsOf` where absent. */
  readonly floats?: readonly Float[];
}

/** The candidates of the op; none where it decomposes. */
export async function candidatesOf({ op }: OpCase, graph: Graph, gpu: Gpu): Promise<readonly Candidate[]> {
  const { steps } = await planOf(gpu, graph, ALONE);
  const lists = steps.filter(({ node }) => node.op === op).map(({ candidates }) => candidates);
  return lists.sort((a, b) => b.length - a.length)[0] ?? [];
}

/** Runs the candidates of a case, each twice on one session with different numbers. */
export async function checkCase(
  gpu: Gpu,
  test: OpCase,
  { every = false, only = () => true, floats = floatsOf(test, gpu.caps, every) }: Extent = {},
): Promise<Verdict> {
  const faults: string[] = [];
  const labels: string[] = [];
  for (const float of floats) {
    const graph = graphOf(test, float);
    const candidates = await candidatesOf(test, graph, gpu);
    const wanted = candidates.flatMap((candidate, index) =>
      only(candidate) ? [{ label: candidate.label, index }] : [],
    );
    if (!candidates.length) wanted.push({ label: `${test.op} of other ops`, index: 0 });
    if (!wanted.length) continue;
    const runs = runsOf(test, float);
    const formatted = (tensors: readonly TensorDescriptor[]): string => tensors.map(formatTensor).join(', ');
    const [made, want] = [formatted(Object.values(graph.outputs)), formatted(runs[0]!.want)];
    if (made !== want) {
      faults.push(`${float}: the results are ${made}, expected ${want}`);
      continue;
    }
    const built = await Promise.all(
      wanted.map(async ({ index, label }) => {
        const choose: Choose = (candidates, { op }) =>
          candidates[op === test.op ? Math.min(index, candidates.length - 1) : 0]!;
        return { label, session: await buildSession(gpu, graph, { ...ALONE, choose }) };
      }),
    );
    for (const { label, session } of built) {
      labels.push(label);
      try {
        for (const [index, run] of runs.entries()) {
          const difference = await runOnce(session, test, run);
          if (isWrong(difference)) faults.push(`${label} ${float} run ${index}: ${describeFault(difference)}`);
        }
      } finally {
        session.dispose();
      }
    }
  }
  return { faults, labels };
}
