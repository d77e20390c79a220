import type { ModelFiles } from '../../model.ts';
import type { Seq2SeqModule } from '../config.ts';

/** The module of each `model_type` of transformers. */
const FAMILIES: Readonly<Record<string, () => Promise<Seq2SeqModule>>> = {
  bart: () => import('./bart.ts'),
  marian: () => import('./bart.ts'),
  mt5: () => import('./t5.ts'),
  t5: () => import('./t5.ts'),
  whisper: () => import('./whisper.ts'),
};

/** Whether config.json names an encoder-decoder that is known. */
export const isSeq2Seq = ({ config }: ModelFiles): boolean => Object.hasOwn(FAMILIES, String(config?.['model_type']));

/** The module of a folder's family. There is one where `isSeq2Seq` says so. */
export const seq2seqModule = ({ config }: ModelFiles): Promise<Seq2SeqModule> =>
  FAMILIES[String(config?.['model_type'])]!();
