import { TilewrightError, throwIfAborted } from '../src/errors.ts';
import { Engine } from '../src/index.ts';
import { PRESET } from './cases.ts';
import type { OnnxFiles } from './onnx-files.ts';
import { type BenchParameters, checkParameters } from './parameters.ts';
import type { PeerFolders } from './peers/packages.ts';
import { type BenchEvents, type Recorder, record } from './record.ts';
import { type BenchReport, SUITES } from './report.ts';
import type { CustomModel } from './suites/case.ts';
import { runSuites } from './suites/index.ts';

export interface BenchOptions extends BenchParameters, BenchEvents {
  /** The folder that holds the models that ship, `weights/`. */
  weights: string | URL;
  /** Where the ONNX files of packages are; those that are missing are left out. */
  onnx?: OnnxFiles | undefined;
  /** Where the packages of peers are: `peers` needs it. */
  peerFolders?: PeerFolders | undefined;
  /** What the suite `custom` runs. */
  model?: CustomModel | undefined;
  /** One of its own where absent. */
  engine?: Engine;
  signal?: AbortSignal;
}

/**
 * Runs the suites one case after the other; with `peers` those cases that peers have, each on all engines side by side.
 * A run that is aborted after its first row gives what it has, and a note; one whose device is lost or whose tab is hidden is
 * `void`. Errors: `aborted`, `invalid-argument`, `missing-dependency`, and those of `Engine.create` and `engine.load`.
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const { weights, onnx = {}, peerFolders, model, engine: given, signal, ...rest } = options;
  const { onProgress, onCeilings, onRow, onPulse, ...parameters } = rest;
  checkParameters(parameters);
  const { peers, suites = SUITES, only = '', dtypes } = parameters;
  if (peers && !peerFolders)
    throw new TilewrightError('missing-dependency', 'the bench: the packages of peers are not here', {
      hint: 'They are dev dependencies: the development server and the command have them.',
    });
  if (suites.includes('custom') && !model)
    throw new TilewrightError('invalid-argument', 'the bench: the suite custom needs a model');
  throwIfAborted(signal, 'the bench');
  const engine = given ?? (await Engine.create({ signal }));
  try {
    const preset = parameters.preset ?? (engine.adapter.software ? 'quick' : 'full');
    const work = async (recorder: Recorder): Promise<void> => {
      if (!peers) return runSuites(recorder, { preset: PRESET[preset], suites, only, dtypes, weights, onnx, model });
      const { runContest } = await import('./peers/contest.ts');
      await runContest(recorder, { preset, suites, only, onnx, folders: peerFolders!, engines: peers });
    };
    const events = { onProgress, onCeilings, onRow, onPulse };
    const report = await record(engine, PRESET[preset], work, { ...events, signal });
    return { ...report, preset, ...(parameters.gpu && { gpu: parameters.gpu }) };
  } finally {
    if (!given) engine.dispose();
  }
}
