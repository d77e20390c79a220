import { throwIfAborted } from '../errors.ts';
import type { Caps, Gpu } from '../gpu/gpu.ts';
import { type GroupName, loadingOps, loadOps } from '../graph/groups/index.ts';
import { type Graph, isConstant, isLeaf, type Operand, topological } from '../graph/ir.ts';
import { needsSmall, optimise, type PassOptions } from '../graph/passes/index.ts';
import { type Choose, type Plan, plan, type Step } from '../graph/plan.ts';
import { workOf } from '../graph/work.ts';
import { opNamed } from '../ops/index.ts';
import { signal as abortSignal, either, fn, number, oneOf, type Rule, valuesOf } from '../options.ts';
import { Session, type SessionOptions } from '../runtime/session.ts';
import { compile } from '../runtime/steps.ts';
import { Stores } from '../runtime/stores.ts';
import type { OnProgress } from '../tensor/progress.ts';
import { elementCount } from '../tensor/types.ts';
import type { TuneMode, Tuner } from '../tune/tuner.ts';

/** How a graph becomes a session. */
export interface BuildOptions extends PassOptions, SessionOptions {
  /** Ends the build with `aborted`. */
  signal?: AbortSignal | undefined;
  /** Is told how far weights and kernels have come. */
  onProgress?: OnProgress | undefined;
  /** Weights, states and arena, shared with other sessions. The session's own where absent. @internal */
  stores?: Stores | undefined;
  /** A bound of the bytes on the device. Error: `limit-exceeded`. */
  memory?: MemoryOptions | undefined;
  /**
   * Measures kernel candidates on this device: the likely ones within 2 s of GPU time (`fast`), or all (`full`). Winners are
   * remembered. Absent: `fast` on a GPU, `off` on a software adapter, whose table was measured.
   */
  tune?: TuneMode | undefined;
  /** The tuner; the device's where absent. @internal */
  tuner?: Tuner | undefined;
  /** Picks among the candidates. Nothing is tuned then. @internal */
  choose?: Choose | undefined;
}

/** A bound of memory. */
export interface MemoryOptions {
  /**
   * Bytes on the device at the most, weights on their way included. A build that needs more is refused before it
   * allocates.
   */
  budget?: number | undefined;
}

const TYPE = oneOf('float32', 'float16', 'int8', 'int4');
const BUDGET = number(0);

/** A type, or an object of types with a default. */
export const WEIGHT_TYPES: Rule = either(TYPE, [
  `an object of ${TYPE[0]} with a default`,
  (value) => valuesOf(TYPE)[1](value) && 'default' in (value as object),
]);

/** Rules of the options that models and sessions share. */
export const SHARED_RULES = {
  groupSize: oneOf(32, 64, 128),
  check: oneOf('finite'),
  memory: [
    `{ budget: ${BUDGET[0]} }`,
    (value) => valuesOf(BUDGET)[1](value) && Object.keys(value as object).every((name) => name === 'budget'),
  ] as Rule,
  activations: oneOf('dynamic', 'static'),
  calibration: valuesOf(number(0)),
  integer: fn,
  tune: oneOf('off', 'fast', 'full'),
  signal: abortSignal,
  onProgress: fn,
};

/** How a graph is planned. */
interface Planner {
  /** The graph as it was given. */
  readonly given: Graph;
  readonly tuner: Tuner | undefined;
  readonly mode: TuneMode;
  /** What takes the plan. */
  readonly Type: typeof Session;
  /** Plans the optimised graph, with the kernels that are chosen by now. */
  replan(): Plan;
}

/** Plans a graph, brings its weights, compiles its kernels, and measures them where `tune` asks for it. */
export async function buildSession(gpu: Gpu, graph: Graph, options: BuildOptions = {}): Promise<Session> {
  gpu.check();
  throwIfAborted(options.signal, 'building');
  const planner = await plannerOf(gpu, graph, options, buildSession);
  const stores = options.stores ?? new Stores(gpu);
  try {
    return await stores.turns.take(() => realise(gpu, planner, stores, options));
  } catch (error) {
    if (stores !== options.stores) stores.dispose();
    const explained = await gpu.explain(error);
    if (explained.code !== 'out-of-memory') throw explained;
    const planWith = (weights = options.weights): Promise<Plan> => planOf(gpu, graph, { ...options, weights });
    throw await (await import('./budget.ts')).withNeeds(explained, gpu, planWith, options);
  }
}

/** Brings a plan to the device. */
async function realise(
  gpu: Gpu,
  { given, tuner, mode, Type, replan }: Planner,
  stores: Stores,
  options: BuildOptions,
): Promise<Session> {
  const { signal, onProgress, check, runsAhead, label, memory } = options;
  const alive = (): void => {
    throwIfAborted(signal, 'building');
    stores.alive();
  };
  alive();
  const planned = replan();
  if (memory?.budget !== undefined)
    await (await import('./budget.ts')).checkBudget(planned, stores, memory.budget, options);
  let compiling: Promise<void> | undefined;
  // Constants are computed while the rest compiles, so their kernels come first: a browser compiles one after the other.
  const onCompiling = (): void => {
    compiling = compileAll(gpu, planned.steps, onProgress);
    compiling.catch(() => {}); // awaited below; the upload may fail first
  };
  await stores.constants.prepare(planned, { signal, onProgress, onCompiling });
  await gpu.guard(compiling ?? compileAll(gpu, planned.steps, onProgress), alive, signal);
  alive();
  const session = new Type(gpu, planned, stores, {
    ...{ check, runsAhead, label, replan, given, lone: !options.stores },
    again: async () => ({
      build: (on) => buildSession(on, given, { ...options, ...LONE, signal: undefined }),
      work: { parameters: numbersOf(given), ...(await workOf(given)) },
    }),
  });
  try {
    await gpu.turns.next(() => gpu.scoped('what it computes in', () => session.allocate())[1]);
    alive();
    if (tuner && mode !== 'off') {
      await tuner.settle(planned, mode, (operand) => session.bufferOf(operand), { signal, onProgress });
      await session.rechoose();
    } else await session.rechoose(planned);
    alive();
    return session;
  } catch (error) {
    session.dispose();
    if ((error as { code?: string }).code === 'out-of-memory') stores.arena.clear();
    throw error;
  }
}

/** Compiles the kernels of steps, and reports each as it is done. */
async function compileAll(gpu: Gpu, steps: readonly Step[], onProgress: OnProgress | undefined): Promise<void> {
  const labels = new Set(steps.map(({ candidate }) => candidate.label));
  const total = labels.size;
  await Promise.all(
    steps.map(async (step) => {
      await compile(gpu, [step]);
      const { label } = step.candidate;
      if (labels.delete(label)) onProgress?.({ phase: 'compile', loaded: total - labels.size, total, label });
    }),
  );
}

/** The plan that `buildSession` would run. Makes and measures nothing. */
export async function planOf(gpu: Gpu, graph: Graph, options: BuildOptions = {}): Promise<Plan> {
  return (await plannerOf(gpu, graph, options)).replan();
}

/** Numbers of the constants of a graph. */
const numbersOf = (graph: Graph): number =>
  topological(graph).reduce((sum, node) => sum + (isConstant(node) ? elementCount(node.shape) : 0), 0);

/** Starts to compile what `buildSession` will need. What fails here fails again there, and is reported there. */
export function precompile(gpu: Gpu, graph: Graph, options: BuildOptions = {}): void {
  planOf(gpu, graph, options)
    .then(({ steps }) => compile(gpu, steps))
    .catch(() => {});
}

/** A session that is built to be measured shares nothing and reports nothing. */
const LONE = { stores: undefined, tuner: undefined, onProgress: undefined, check: undefined, memory: undefined };

/** Groups that a graph needs besides those of its ops: for GPUs, for small weights, for forms that may be faster here. */
function extraGroups(graph: Graph, options: BuildOptions, caps: Caps, mode: TuneMode): GroupName[] {
  const { winograd = caps.software || mode !== 'off', without = [] } = options;
  const forms = winograd && !without.includes('winograd') && topological(graph).some(hasForm);
  return [
    caps.software ? 'software' : 'tiles',
    ...topological(graph).flatMap(kernelsOf),
    ...(caps.subgroupMatrices.length ? ['matrices' as const] : []),
    ...(needsSmall(graph, options, caps) ? ['quantized' as const] : []),
    ...(forms ? ['winograd' as const] : []),
  ];
}

/** Whether something of a node has a type that the device has not (tensor/logical.ts). */
const isForeign = ({ results }: Operand): boolean => results.some(({ dataType }) => /64|t4$/.test(dataType));

const kernelsOf = (node: Operand): GroupName[] => {
  const group = isLeaf(node) ? undefined : opNamed(node.op).kernels?.(node.inputs, node.options);
  return group === undefined ? [] : [group as GroupName];
};

const hasForm = (node: Operand): boolean => !isLeaf(node) && opNamed(node.op).form !== undefined;

/** Loads groups, chooses forms, runs the passes. */
async function plannerOf(gpu: Gpu, given: Graph, options: BuildOptions, build?: typeof buildSession): Promise<Planner> {
  const { graph, Type } = topological(given).some(isForeign)
    ? await (await import('./border.ts')).atBorder(given)
    : { graph: given, Type: Session };
  const mode = options.choose ? 'off' : (options.tune ?? (gpu.card.software ? 'off' : 'fast'));
  await loadOps(extraGroups(graph, options, gpu.caps, mode));
  const rewritten = (chosen: PassOptions): Graph => optimise(graph, chosen, gpu.caps);
  const tuner = options.choose ? undefined : (options.tuner ?? (await import('../tune/tuner.ts')).Tuner.on(gpu));
  await tuner?.recall();
  const forms =
    tuner && mode !== 'off'
      ? await (await import('../tune/forms.ts')).chooseForms(tuner, gpu.caps, {
          options,
          rewritten,
          mode,
          signal: options.signal,
          build: build && ((one, how) => build(gpu, one, { ...how, tune: 'off', ...LONE })),
        })
      : {};
  const optimised = await loadingOps(() => rewritten({ ...options, ...forms }));
  const choose = options.choose ?? (mode === 'off' ? tuner?.guess : tuner?.choose);
  return { given, tuner, mode, Type, replan: () => plan(optimised, gpu.caps, choose) };
}
