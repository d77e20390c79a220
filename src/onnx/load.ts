import { openOnnx } from '../formats/onnx.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Folder } from '../hub/folder.ts';
import type { OpenOptions } from '../models/model.ts';
import { checkpointOf } from './contents.ts';
import { GraphModel } from './graph-model.ts';

/** Loads an ONNX file of a folder. Errors: those of `openOnnx`; `unsupported-op`, with all that is not computed here. */
export async function loadOnnx(gpu: Gpu, folder: Folder, file: string, options: OpenOptions): Promise<GraphModel> {
  const model = await openOnnx(folder, file, options.signal);
  if (options.activations === 'static' && !options.calibration) {
    const { storedCalibration } = await import('../models/calibration.ts');
    const calibration = await storedCalibration(checkpointOf(model), options.signal);
    options = { ...options, ...(calibration && { calibration }) };
  }
  return GraphModel.load(gpu, folder, model, options);
}
