import { loadingOps } from '../../src/graph/groups/index.ts';
import type { Graph, Model, ModelDataType, ModelSource } from '../../src/index.ts';
import type { Preset } from '../cases.ts';
import { passOptions, randomData, workOf } from '../graphs.ts';
import { callSampler, type Sample, sample, sampleSession } from '../measure.ts';
import type { OnnxFiles } from '../onnx-files.ts';
import type { Recorder } from '../record.ts';
import type { BenchDataType, BenchRow, SuiteName, Work } from '../report.ts';
import type { Timed } from '../steady.ts';

/** A model of the user's, for the suite `custom`. */
export interface CustomModel {
  readonly name: string;
  readonly source: ModelSource;
  /** Of an ONNX model: numbers for the symbols among its dimensions. */
  readonly dims?: Readonly<Record<string, number>>;
}

/** What a suite makes its cases of. */
export interface Context {
  readonly recorder: Recorder;
  readonly preset: Preset;
  /** The folder of the models that ship. */
  readonly weights: string | URL;
  readonly onnx: OnnxFiles;
  readonly model: CustomModel | undefined;
  /** The types that were asked for. */
  readonly dtypes: readonly BenchDataType[] | undefined;
}

export interface Case {
  readonly suite: SuiteName;
  readonly name: string;
  readonly shape: string;
  readonly dtype: BenchDataType;
  /** Known beforehand for single ops. */
  readonly flops?: number;
  /** What is timed side by side, or in turn, has a row each, under a name of its own. */
  run(): Promise<Measured | readonly Measured[]>;
}

export interface Measured extends Pick<BenchRow, 'rate' | 'deviceBytes'> {
  /** The case's where absent. */
  readonly name?: string;
  readonly shape?: string;
  readonly dtype?: BenchDataType;
  readonly timed: Timed;
  readonly work: Work;
}

export type Suite = (context: Context) => readonly Case[] | Promise<readonly Case[]>;

/** The types that the adapter has. */
export const typesOf = <Type extends BenchDataType>({ recorder }: Context, dtypes: readonly Type[]): Type[] =>
  dtypes.filter((dtype) => dtype !== 'float16' || recorder.engine.adapter.features.includes('shader-f16'));

/** Times one thing, and again where it is unsteady. */
export async function timeOne({ recorder }: Context, take: () => Promise<readonly Sample[]>): Promise<Timed> {
  const [timed] = await recorder.time(async () => [await take()]);
  return timed!;
}

/** A call from the host to the host. */
export async function timeCalls(context: Context, run: () => Promise<unknown>): Promise<Timed> {
  const { quantum, signal } = context.recorder;
  const sampler = await callSampler(run, quantum, signal);
  return timeOne(context, () => sample(context.preset, sampler));
}

/** A graph on the device, its inputs random. The ops that it has load first. */
export async function timeGraph(context: Context, dtype: BenchDataType, make: () => Graph): Promise<Measured> {
  const { preset, recorder } = context;
  const { engine, signal, quantum } = recorder;
  const session = await engine.build(await loadingOps(make), { ...passOptions(dtype), signal });
  try {
    for (const [name, { dataType, shape }] of session.plan.inputs) session.write(name, randomData(dataType, shape, 1));
    const timed = await timeOne(context, () => sampleSession(session, { ...preset, quantum }, signal));
    return { timed, work: workOf(session.plan.steps) };
  } finally {
    session.dispose();
  }
}

/** Loads a model, works with it, and frees it. `deviceBytes` are what it had taken at the end of the work. */
export async function withModel<T extends Model>(
  { recorder: { engine, signal } }: Context,
  source: ModelSource,
  options: { readonly dtype?: ModelDataType; readonly inputSize?: readonly [number, number] },
  work: (model: T) => Promise<readonly Measured[]>,
): Promise<Measured[]> {
  const before = engine.counters.bytes;
  const model = await engine.load(source, { ...options, signal });
  try {
    const measured = await work(model as T);
    const deviceBytes = engine.counters.bytes - before;
    return measured.map((one) => ({ ...one, deviceBytes }));
  } finally {
    model.dispose();
  }
}

/** The address of a model that ships. */
export const folderOf = (name: string, { weights }: Context): string =>
  `${String(weights).replace(/\/?$/, '/')}${name}/`;

/** How much of something is done a second. */
export const rateOf = (count: number, ms: number, unit: 'images/s' | 'tokens/s'): NonNullable<BenchRow['rate']> => ({
  value: (1000 * count) / ms,
  unit,
});
