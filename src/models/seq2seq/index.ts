import type { Gpu } from '../../gpu/gpu.ts';
import type { ModelFiles, OpenOptions } from '../model.ts';
import type { Transcriber } from './transcriber.ts';
import type { Translator } from './translator.ts';

/** Loads an encoder-decoder: of speech, or of text. */
export async function loadSeq2Seq(
  gpu: Gpu,
  files: ModelFiles,
  options: OpenOptions,
): Promise<Transcriber | Translator> {
  if (files.config?.['model_type'] === 'whisper')
    return (await import('./transcriber.ts')).Transcriber.load(gpu, files, options);
  return (await import('./translator.ts')).Translator.load(gpu, files, options);
}
