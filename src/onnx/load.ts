import { openOnnx } from '../formats/onnx.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Folder } from '../hub/folder.ts';
import type { LoadOptions } from '../models/model.ts';
import { GraphModel } from './graph-model.ts';

/** Loads an ONNX file of a folder. Errors: those of `openOnnx`; `unsupported-op`, with all that is not computed here. */
export async function loadOnnx(gpu: Gpu, folder: Folder, file: string, options: LoadOptions): Promise<GraphModel> {
  return GraphModel.load(gpu, folder, await openOnnx(folder, file, options.signal), options);
}
