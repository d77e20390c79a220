import type { Preset } from '../cases.ts';
import type { OnnxFiles } from '../onnx-files.ts';
import type { Recorder } from '../record.ts';
import { type BenchDataType, caseName, type SuiteName } from '../report.ts';
import type { Context, CustomModel, Suite } from './case.ts';

/** Each suite, from its file: what it needs of the engine loads when it is asked for. */
const SUITE: Record<SuiteName, () => Promise<Suite>> = {
  matmul: async () => (await import('./ops.ts')).matmul,
  gemv: async () => (await import('./ops.ts')).gemv,
  conv: async () => (await import('./ops.ts')).conv,
  attention: async () => (await import('./ops.ts')).attention,
  softmax: async () => (await import('./ops.ts')).softmax,
  elementwise: async () => (await import('./ops.ts')).elementwise,
  resnet: async () => (await import('./resnet.ts')).resnet,
  onnx: async () => (await import('./onnx.ts')).onnx,
  gpt: async () => (await import('./gpt.ts')).gpt,
  load: async () => (await import('./load.ts')).load,
  custom: async () => (await import('./custom.ts')).custom,
};

/** What of the suites runs. */
export interface SuitesOptions {
  readonly preset: Preset;
  readonly suites: readonly SuiteName[];
  readonly only: string;
  readonly dtypes: readonly BenchDataType[] | undefined;
  readonly weights: string | URL;
  readonly onnx: OnnxFiles;
  readonly model: CustomModel | undefined;
}

/** A case that would keep the GPU longer than this in one run, in ms, is left out: drivers reset a GPU that hangs. */
const LONGEST_RUN = 1500;

/** Runs the suites one case after the other. */
export async function runSuites(recorder: Recorder, options: SuitesOptions): Promise<void> {
  const { suites, only, ...rest } = options;
  const { dtypes } = rest;
  const context: Context = { recorder, ...rest };
  const made = await Promise.all(suites.map(async (suite) => (await SUITE[suite]())(context)));
  const cases = made
    .flat()
    .filter((one) => caseName(one).includes(only) && (!dtypes || one.suite === 'custom' || dtypes.includes(one.dtype)));
  /** The GFLOPS of the last case of a suite and type. */
  const speed = new Map<string, number>();
  for (const [done, one] of cases.entries()) {
    const { suite, name, shape, dtype, flops = 0 } = one;
    recorder.begin(done, cases.length, caseName(one));
    const expected = flops / 1e6 / (speed.get(suite + dtype) ?? Number.POSITIVE_INFINITY);
    if (expected > LONGEST_RUN) {
      recorder.notes.push(`${caseName(one)} was left out: a run would take about ${(expected / 1000).toFixed(1)} s`);
      continue;
    }
    for (const measured of [await one.run()].flat()) {
      const row = recorder.add({ suite, name, shape, dtype, ...measured });
      if (flops) speed.set(suite + dtype, row.gflops);
    }
  }
}
