import { onnxFiles } from '../onnx-files.ts';
import type { BenchParameters } from '../parameters.ts';
import type { BenchReport } from '../report.ts';
import { type BenchOptions, runBench } from '../suites.ts';

/** What the page is told while it measures. */
export type Told = Pick<BenchOptions, 'signal' | 'onProgress' | 'onCeilings' | 'onRow'> & {
  onPulse?: (at: number, ms: number) => void;
};

/** Runs the bench in the page: all that has the engine in it loads with this file, when a run starts. */
export async function measure(parameters: BenchParameters, told: Told): Promise<BenchReport> {
  const { gpu, ...asked } = parameters;
  // The development server has the packages; a page that is built has none.
  const onnx = import.meta.env.DEV
    ? await onnxFiles((path) => new URL(`../node_modules/${path}`, document.baseURI).href)
    : {};
  const report = await runBench({ ...asked, ...told, weights: new URL('../weights/', document.baseURI), onnx });
  return { ...report, ...(gpu && { gpu }) };
}
