import { onnxFiles } from '../onnx-files.ts';
import type { BenchParameters } from '../parameters.ts';
import { peerFolders } from '../peers/packages.ts';
import type { BenchReport } from '../report.ts';
import { type BenchOptions, runBench } from '../run.ts';

/** What the page gives to a run beside the choices: where to tell of it, and a model of the user's. */
export type Told = Pick<BenchOptions, 'signal' | 'model' | 'onProgress' | 'onCeilings' | 'onRow' | 'onPulse'>;

const packageFile = (path: string): string => new URL(`../node_modules/${path}`, document.baseURI).href;

/** Runs the bench in the page: all that has the engine in it loads with this file, when a run starts. */
export async function measure(parameters: BenchParameters, told: Told): Promise<BenchReport> {
  // The development server has the packages; a page that is built has none.
  const packages = import.meta.env.DEV
    ? { onnx: await onnxFiles(packageFile), peerFolders: await peerFolders((name) => packageFile(`${name}/dist`)) }
    : {};
  return runBench({ ...parameters, ...told, ...packages, weights: new URL('../weights/', document.baseURI) });
}
