import type { OnnxFiles } from '../../../bench/onnx-files.ts';
import type { BenchParameters, PresetName } from '../../../bench/parameters.ts';
import type { LoadTimes } from '../../../bench/peers/load.ts';
import type { PeerFolders } from '../../../bench/peers/packages.ts';
import type { BenchReport, Loader } from '../../../bench/report.ts';
import type { CustomModel } from '../../../bench/suites/case.ts';
import type { Job } from './job.ts';

export interface BenchArgs extends BenchParameters {
  /** The address of the folder of the models that ship. */
  readonly weights: string;
  /** Where the ONNX files of packages are. */
  readonly onnx?: OnnxFiles;
  /** Where the peers lie. */
  readonly peerFolders?: PeerFolders;
  /** The model of the suite `custom`, and where it is. */
  readonly model?: CustomModel & { readonly source: string };
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
export const bench: Job<BenchArgs, BenchReport> = async (args, { emit, signal }) => {
  const { runBench } = await import('../../../bench/run.ts');
  return runBench({ ...args, signal, onProgress: (progress) => emit({ type: 'done', ...progress }) });
};
