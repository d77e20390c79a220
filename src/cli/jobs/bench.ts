import type { OnnxFiles } from '../../../bench/onnx-files.ts';
import type { PresetName } from '../../../bench/parameters.ts';
import type { LoadTimes } from '../../../bench/peers/load.ts';
import type { PeerFolders } from '../../../bench/peers/packages.ts';
import { type BenchReport, type EngineName, type Loader, SUITES, type SuiteName } from '../../../bench/report.ts';
import type { Job } from './job.ts';

export interface BenchArgs {
  /** The address of the folder of the models that ship. */
  readonly weights: string;
  /** Where the ONNX files of packages are. */
  readonly onnx?: OnnxFiles;
  /** All where absent. */
  readonly suites?: readonly SuiteName[];
  /** By the class of the adapter where absent. */
  readonly preset?: PresetName;
  /** Only the cases that have this in their name. */
  readonly only?: string;
  /** Where the peers lie: they are measured too, each case side by side. */
  readonly peers?: PeerFolders;
  /** Only these peers. */
  readonly engines?: readonly EngineName[];
}

export interface BenchStartArgs {
  readonly engine: Loader;
  readonly preset: PresetName;
  readonly peers: PeerFolders;
  readonly starts: number;
}

/** Starts of one engine, the first of them cold if this job is the first one. */
export const benchStart: Job<BenchStartArgs, LoadTimes> = async ({ engine, peers, ...args }, { signal }) => {
  const { timeLoads } = await import('../../../bench/peers/load.ts');
  return timeLoads(engine, { ...args, folders: peers, signal });
};

/** The measurements of the bench page, or those beside the peers. */
export const bench: Job<BenchArgs, BenchReport> = async ({ peers, ...args }, { emit, signal }) => {
  const onProgress = (progress: { done: number; total: number; label?: string }): void =>
    emit({ type: 'done', ...progress });
  if (peers) {
    const { runContest } = await import('../../../bench/peers/contest.ts');
    return runContest({ suites: SUITES, ...args, folders: peers, signal, onProgress });
  }
  const { runBench } = await import('../../../bench/suites.ts');
  return runBench({ ...args, signal, onProgress });
};
