import type { Preset } from '../cases.ts';
import { type OnnxFiles, onnxTasks } from '../onnx-files.ts';
import type { Recorder } from '../record.ts';
import { type BenchDataType, caseName, type SuiteName } from '../report.ts';
import type { Context, CustomModel, Suite } from './case.ts';
import { custom } from './custom.ts';
import { gpt } from './gpt.ts';
import { load } from './load.ts';
import { onnx } from './onnx.ts';
import { attention, conv, elementwise, gemv, matmul, softmax } from './ops.ts';
import { resnet } from './resnet.ts';

const SUITE: Record<SuiteName, Suite> = {
  matmul,
  gemv,
  conv,
  attention,
  softmax,
  elementwise,
  resnet,
  onnx,
  gpt,
  load,
  custom,
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
  const { preset, suites, only, dtypes, weights, model } = options;
  const { tasks, notes } = await onnxTasks(suites.includes('onnx') ? preset.onnx : [], options.onnx);
  recorder.notes.push(...notes);
  const context: Context = { recorder, preset, weights, tasks, model, dtypes };
  const cases = suites
    .flatMap((suite) => SUITE[suite](context))
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
