import type { PresetName } from '../../../bench/cases.ts';
import type { BenchReport, SuiteName } from '../../../bench/report.ts';
import type { Job } from './job.ts';

export interface BenchArgs {
  /** The address of the folder of the models that ship. */
  readonly weights: string;
  /** All where absent. */
  readonly suites?: readonly SuiteName[];
  /** By the class of the adapter where absent. */
  readonly preset?: PresetName;
}

/** The measurements of the bench page. */
export const bench: Job<BenchArgs, BenchReport> = async (args, { emit, signal }) => {
  const { runBench } = await import('../../../bench/suites.ts');
  return runBench({ ...args, signal, onProgress: (progress) => emit({ type: 'done', ...progress }) });
};
