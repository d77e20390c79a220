import type { Model } from '../engine.ts';
import { Gpu } from '../gpu/gpu.ts';
import { onnxOf, openFolder } from '../hub/folder.ts';
import { loadModel } from '../models/index.ts';
import { hubOptions } from './hub.ts';

export interface PaperOptions {
  /** Of an ONNX model: numbers for the symbols among its dimensions. */
  readonly dims?: Readonly<Record<string, number>>;
  readonly signal?: AbortSignal;
}

/** A device that nothing is asked of. */
const paper = (): Gpu =>
  new Gpu(
    {
      features: new Set(),
      limits: {},
      lost: new Promise(() => {}),
      addEventListener: () => {},
      adapterInfo: { vendor: '', architecture: '', device: '', description: '' },
    } as unknown as GPUDevice,
    undefined,
    false,
  );

/**
 * Opens a model where there need be no device: of its weights only the header is read. It has graphs and a summary, and
 * computes nothing. Errors: those of `engine.load`.
 */
export async function openOnPaper(source: string, options: PaperOptions = {}): Promise<Model> {
  const folder = await openFolder(source, { signal: options.signal, ...hubOptions(source) });
  const onnx = await onnxOf(folder);
  const how = { ...options, onPaper: true };
  if (onnx === undefined) return loadModel(paper(), folder, how);
  return (await import('../onnx/load.ts')).loadOnnx(paper(), folder, onnx, how);
}
