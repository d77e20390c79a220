import { buildSession, planOf } from '../build/build.ts';
import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { AdapterCard } from '../gpu/adapter.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { loadOps } from '../graph/groups/index.ts';
import type { Choose } from '../graph/plan.ts';
import type { Candidate } from '../ops/define.ts';
import { signal as aSignal, checkArgument, checkOptions, flag, fn, object, type Rule, type Rules } from '../options.ts';
import { ConstantStore } from '../runtime/constants.ts';
import { Session } from '../runtime/session.ts';
import type { OnProgress } from '../tensor/progress.ts';
import { formatShape } from '../tensor/types.ts';
import { Tuner } from '../tune/tuner.ts';
import { VERSION } from '../version.ts';
import { type OpCase, specOf } from './case.ts';
import { CASES } from './cases/index.ts';
import { runOnce } from './check.ts';
import { dispatchesOf } from './dispatches.ts';
import { ALONE, type Float, floatsOf, graphOf, runsOf } from './run.ts';
import { type Difference, describeFault, isWrong, worse } from './tolerances.ts';

/** What is checked. */
export interface VerifyOptions {
  /** Checks every candidate of each dispatch, not only the one that runs. */
  all?: boolean;
  /** Only dispatches of these ops. */
  ops?: readonly string[];
  /** Forgets first which variants were set aside: they are checked again where they would run. */
  forget?: boolean;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  /** Is called with each row as it is known. `replacedBy` is known at the end only. */
  onRow?: (row: VerifyRow) => void;
  /** The tuner, which remembers; the device's where absent. @internal */
  tuner?: Tuner;
}

/** One kernel variant on inputs of certain shapes. */
export interface VerifyRow {
  readonly op: string;
  /** `conv2d_registers[f32,dense,relu,8x4]`. */
  readonly variant: string;
  /** Shapes of the inputs: `[1,32,32,16] [3,3,16,16] [16]`. */
  readonly shape: string;
  /** The case in full: types, shapes, options. It seeds the numbers. */
  readonly case: string;
  /** The label of the first such node in the model, and how many there are. Without a model: the op, and 1. */
  readonly label: string;
  readonly count: number;
  /** `wrong` results, or `broken`: it does not compile. */
  readonly verdict: 'right' | 'wrong' | 'broken';
  /**
   * The element of the largest error against what is allowed there: `[0,5] (element 5)`, or `the norm`. Null without a
   * result.
   */
  readonly at: string | null;
  /** |result - reference| there, or for the norm ‖result - reference‖ / ‖reference‖; and the bound. */
  readonly error: number | null;
  readonly tolerance: number | null;
  /** What is wrong: the element with its coordinates, or what the compiler said. */
  readonly fault?: string;
  /** The variant that runs instead from now on. It was checked. */
  readonly replacedBy?: string;
  /** Milliseconds that the check took, the reference on the CPU included. */
  readonly ms: number;
}

/** What a self-check found. */
export interface VerifyReport {
  readonly adapter: AdapterCard;
  /** Version of the engine. */
  readonly engine: string;
  /** Time of the end: ISO 8601. */
  readonly date: string;
  /** The name of the model, where one was checked. */
  readonly model?: string;
  /** A row for each variant and shape. */
  readonly rows: readonly VerifyRow[];
  readonly summary: Summary;
  /** Variants that are set aside on this adapter, driver and version, and why. Those of earlier checks too. */
  readonly aside: Readonly<Record<string, string>>;
  /**
   * Families of experimental kernels that were tried here, by earlier checks too: null where all their cases were right,
   * so that they may run; else what was wrong.
   */
  readonly experimental: Readonly<Record<string, string | null>>;
  /** Whether every variant that runs from now on was right. */
  readonly passed: boolean;
  /** Milliseconds that all of it took. */
  readonly ms: number;
}

/** How many kernels are right. */
export interface Summary {
  readonly checked: number;
  readonly right: number;
  /** Rows that were wrong, and another variant runs instead. */
  readonly replaced: number;
  /** Rows that were wrong, without a variant to run instead. */
  readonly failed: number;
}

/** What can be verified: a model, or a session. */
export type Target = Session | { sessions(): Promise<Session[]>; readonly files?: { readonly name: string } };

const OPS: ReadonlySet<unknown> = new Set(CASES.map(({ op }) => op));

const RULES: Rules<VerifyOptions> = {
  all: flag,
  ops: ['a list of names of ops', (names) => Array.isArray(names) && names.every((name) => OPS.has(name))],
  forget: flag,
  signal: aSignal,
  onProgress: fn,
  onRow: fn,
  tuner: object,
};

const TARGET: Rule = [
  'a model or a session',
  (target) =>
    target === undefined ||
    target instanceof Session ||
    (object[1](target) && fn[1]((target as Record<string, unknown>)['sessions'])),
];

/** A variant to check, on a case. */
interface Check {
  readonly test: OpCase;
  readonly float: Float;
  readonly label: string;
  readonly count: number;
  /** Undefined where the op decomposes: the other ops have cases of their own. */
  readonly candidate: Candidate | undefined;
  readonly candidates: readonly Candidate[];
}

/** Numbers that the reference reads for a node of a model: about 10 ms. */
const WORK = 2 ** 19;
/** Pipelines that compile while others are checked. */
const AHEAD = 4;

const variantOf = ({ test, candidate }: Check): string => candidate?.label ?? `${test.op} of other ops`;
const caseKey = ({ test, float }: Check): string => `${test.title}${float === 'float16' ? ' in float16' : ''}`;
const keyOf = (check: Check): string => `${caseKey(check)} ${variantOf(check)}`;

/**
 * Runs kernel variants on this device, each twice with different numbers, and compares the results with references in
 * float64. A wrong variant is set aside (`Tuner.setAside`), and the variant that would run in its place is checked too.
 * A variant is checked once on each case, so this ends. Sessions that exist take the replacements. Without a target,
 * families of experimental kernels that were not tried here are tried on all cases of their ops. Errors:
 * `invalid-argument`, `aborted`, `device-lost`.
 */
export async function verify(gpu: Gpu, target: Target | undefined, options: VerifyOptions = {}): Promise<VerifyReport> {
  checkOptions('verify', options, RULES);
  checkArgument('verify', 'the target', target, TARGET);
  const { all = false, ops, forget = false, tuner = Tuner.on(gpu), signal, onProgress, onRow } = options;
  const start = performance.now();
  throwIfAborted(signal, 'verifying');
  await loadOps(); // the cases have ops of all groups
  await (forget ? tuner.reinstate() : tuner.recall());
  const sessions = target instanceof Session ? [target] : ((await target?.sessions()) ?? []);
  /** The candidate that would run now. */
  const chosen = async (): Promise<Check[]> => {
    const checks = target
      ? dispatchesOf(sessions.map((session) => session.replan())).map((made) => ({
          ...made,
          float: 'float32' as const,
        }))
      : await checksOfCases(gpu, gpu.caps.software ? tuner.guess : tuner.choose);
    return checks.filter(({ test }) => !ops || ops.includes(test.op));
  };
  const rows = new Map<string, VerifyRow>();
  const wrong = new Set<string>();
  const untried = ({ experimental }: Candidate): boolean =>
    experimental !== undefined && !(experimental in tuner.experimental);
  /** What is checked of a case besides the candidate that would run. */
  const more = ({ candidates }: Check): readonly Candidate[] =>
    all ? candidates : target ? [] : candidates.filter(untried);
  const tried = new Set<string>();
  try {
    for (;;) {
      const wanted = (await chosen()).flatMap((check) => [
        check,
        ...more(check).map((candidate) => ({ ...check, candidate })),
      ]);
      const open = [...new Map(wanted.map((check) => [keyOf(check), check]))]
        .filter(([key]) => !rows.has(key))
        .map(([, check]) => check);
      if (!open.length) break;
      for (const [i, check] of open.entries()) {
        throwIfAborted(signal, 'verifying');
        onProgress?.({
          phase: 'verify',
          loaded: rows.size,
          total: rows.size + open.length - i,
          label: variantOf(check),
        });
        for (const { candidate } of open.slice(i, i + AHEAD))
          if (candidate) gpu.pipelines.get(candidate.variant, candidate.label).catch(() => {}); // reported when it is checked
        const row = await rowOf(gpu, check, tuner.guess, target && WORK, signal).catch((error: unknown) => {
          throwIfAborted(signal, 'verifying'); // not the building of its session
          throw error;
        });
        rows.set(keyOf(check), row);
        onRow?.(row);
        const family = check.candidate?.experimental;
        if (family !== undefined) tried.add(family);
        if (row.verdict === 'right') continue;
        wrong.add(row.variant);
        if (family === undefined) await tuner.setAside(row.variant, row.fault!);
        else if (!tuner.experimental[family]) await tuner.judge(family, `${row.variant} on ${row.case}: ${row.fault}`);
      }
    }
    if (!target) for (const family of tried) if (!(family in tuner.experimental)) await tuner.judge(family, null);
  } finally {
    if (wrong.size || forget) await replace(gpu, sessions, wrong);
  }
  onProgress?.({ phase: 'verify', loaded: rows.size, total: rows.size });
  const running = new Map((await chosen()).map((check) => [caseKey(check), variantOf(check)]));
  return {
    adapter: gpu.card,
    engine: VERSION,
    date: new Date().toISOString(),
    ...(target && 'files' in target && target.files && { model: target.files.name }),
    ...judge([...rows.values()], running),
    aside: tuner.aside,
    experimental: tuner.experimental,
    ms: performance.now() - start,
  };
}

/** The cases of all ops in every float type of this device, each with the variant that `choose` takes. */
async function checksOfCases(gpu: Gpu, choose: Choose): Promise<Check[]> {
  const checks = CASES.flatMap((test) =>
    floatsOf(test, { ...gpu.caps, longKernels: true }).map(async (float): Promise<Check> => {
      const { steps } = await planOf(gpu, graphOf(test, float), { ...ALONE, choose });
      const step = steps.find(({ node }) => node.op === test.op);
      return { test, float, label: test.op, count: 1, candidate: step?.candidate, candidates: step?.candidates ?? [] };
    }),
  );
  return Promise.all(checks);
}

/** Runs a variant on its case, on a session of its own. */
async function rowOf(
  gpu: Gpu,
  check: Check,
  guess: Choose,
  work: number | undefined,
  signal: AbortSignal | undefined,
): Promise<VerifyRow> {
  const { test, float, label, count, candidate } = check;
  const variant = variantOf(check);
  const start = performance.now();
  const names = Object.keys(test.inputs);
  const about = {
    op: test.op,
    variant,
    shape: names.map((name) => formatShape(specOf(test, name).shape)).join(' '),
    case: caseKey(check),
    label,
    count,
  };
  const choose: Choose = (candidates, node) =>
    candidates.find((other) => other.label === candidate?.label) ?? guess(candidates, node);
  try {
    using session = await buildSession(gpu, graphOf(test, float), { ...ALONE, choose, signal });
    if (candidate && !session.plan.steps.some((step) => step.candidate.label === variant))
      throw new TilewrightError('invalid-graph', `${variant} does not run for ${test.title}`);
    const differences: Difference[] = [];
    for (const run of runsOf(test, float)) differences.push(await runOnce(session, test, run, work));
    const difference = differences.reduce(worse);
    const { where, error, allowed } = difference;
    const verdict = isWrong(difference) ? { verdict: 'wrong' as const, fault: describeFault(difference) } : RIGHT;
    return { ...about, at: where, error, tolerance: allowed, ...verdict, ms: performance.now() - start };
  } catch (error) {
    if (!(error instanceof TilewrightError)) throw error;
    const { code, message, hint } = error;
    if (code === 'device-lost')
      throw new TilewrightError(code, `${variant} on ${test.title}: ${message}`, { hint, cause: error });
    if (code !== 'shader-compile') throw error;
    const ms = performance.now() - start;
    return { ...about, at: null, error: null, tolerance: null, verdict: 'broken', fault: message, ms };
  }
}

const RIGHT = { verdict: 'right' } as const;

/** Fills in `replacedBy` of wrong rows, and counts. `running`: the variants that run now, by case. */
export function judge(
  found: readonly VerifyRow[],
  running: ReadonlyMap<string, string>,
): Pick<VerifyReport, 'rows' | 'summary' | 'passed'> {
  const right = new Set(found.filter(({ verdict }) => verdict === 'right').map((row) => `${row.case} ${row.variant}`));
  const rows = found.map((row): VerifyRow => {
    const instead = running.get(row.case);
    const replaced = row.verdict !== 'right' && instead !== undefined && right.has(`${row.case} ${instead}`);
    return replaced ? { ...row, replacedBy: instead } : row;
  });
  const replaced = rows.filter(({ replacedBy }) => replacedBy !== undefined).length;
  const failed = rows.length - right.size - replaced;
  return { rows, summary: { checked: rows.length, right: right.size, replaced, failed }, passed: failed === 0 };
}

/**
 * Sessions take the kernels that are trusted now and keep their buffers. Weights that a wrong kernel had made at load
 * are made again from the file, and copied over.
 */
async function replace(gpu: Gpu, sessions: readonly Session[], wrong: ReadonlySet<string>): Promise<void> {
  const spoilt = sessions.filter(({ plan: { prepare } }) =>
    prepare.some(({ candidate }) => wrong.has(candidate.label)),
  );
  for (const session of sessions) await session.rechoose();
  const fresh = new ConstantStore(gpu);
  try {
    for (const {
      plan: now,
      stores: { constants },
    } of spoilt) {
      const made = now.constants.filter(({ op }) => op !== 'constant');
      await fresh.prepare({ ...now, constants: made });
      const encoder = gpu.device.createCommandEncoder();
      for (const operand of made) {
        const from = fresh.buffer(operand);
        encoder.copyBufferToBuffer(from, 0, constants.buffer(operand), 0, from.size);
      }
      gpu.submit(encoder);
    }
  } finally {
    fresh.dispose();
  }
}
