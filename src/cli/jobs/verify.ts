import type { Progress } from '../../tensor/progress.ts';
import type { VerifyReport } from '../../verify/verify.ts';
import type { Job } from './job.ts';
import { graphsOf, loadModel, type ModelArgs, openEngine } from './load.ts';

export interface VerifyArgs {
  /** All ops where absent. */
  readonly model?: ModelArgs;
  readonly all: boolean;
  readonly ops?: readonly string[];
  readonly forget: boolean;
  /** Where the first node of an ONNX model that is off goes, as a file of its own. */
  readonly sink: string;
}

export interface VerifyResult extends VerifyReport {
  /** The node that went to the sink: its label. */
  readonly written?: string;
}

/** Checks the kernels of a model, or of all ops; what is wrong is not taken here any more. */
export const verify: Job<VerifyArgs, VerifyResult> = async ({ model: wanted, sink, ...options }, context) => {
  const { emit, signal } = context;
  const model = wanted && (await loadModel(wanted, context));
  if (model) graphsOf(model); // one without graphs has nothing to check
  const engine = await openEngine(context);
  const onProgress = (progress: Progress): void => emit({ type: 'progress', progress });
  const report = await engine.verify(model, { ...options, signal, onProgress });
  const off = report.rows.find(({ verdict }) => verdict !== 'right');
  if (model?.task !== 'graph' || !off) return report;
  // What the passes made alone has the label of no node; then there is no file, and that is no fault of the check.
  if (!(await model.nodes()).some(({ label }) => label === off.label)) return report;
  await context.write(sink, await model.excerpt(off.label, { signal }));
  return { ...report, written: off.label };
};
