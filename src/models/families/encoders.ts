import { TilewrightError } from '../../errors.ts';
import { shown } from '../../options.ts';
import type { EncoderModule } from '../encoder/shape.ts';
import type { ModelFiles } from '../model.ts';

/** The module of each `model_type` of transformers. */
const FAMILIES: Readonly<Record<string, () => Promise<EncoderModule>>> = {
  bert: () => import('./bert.ts'),
  camembert: () => import('./bert.ts'),
  distilbert: () => import('./bert.ts'),
  electra: () => import('./bert.ts'),
  modernbert: () => import('./modernbert.ts'),
  mpnet: () => import('./bert.ts'),
  roberta: () => import('./bert.ts'),
  'xlm-roberta': () => import('./bert.ts'),
};

/** Whether a folder's model reads texts whole. */
export const isEncoder = ({ config }: ModelFiles): boolean =>
  Object.hasOwn(FAMILIES, String(config?.['model_type'] ?? ''));

/** Loads the module of a folder's family. Error: `unknown-architecture`. */
export function encoderModule(files: ModelFiles): Promise<EncoderModule> {
  if (isEncoder(files)) return FAMILIES[String(files.config!['model_type'])]!();
  throw new TilewrightError(
    'unknown-architecture',
    `${files.name}: ${shown(files.config?.['model_type'])} is no encoder of texts that is known`,
  );
}
