import { TilewrightError } from '../../errors.ts';
import { shown } from '../../options.ts';
import { gpt2Prefix } from '../detect.ts';
import type { ModelFiles } from '../model.ts';
import type { FamilyModule } from '../text-family.ts';

/** The module of each `model_type` of transformers. */
const FAMILIES: Readonly<Record<string, () => Promise<FamilyModule>>> = {
  gemma: () => import('./gemma.ts'),
  gemma2: () => import('./gemma.ts'),
  gemma3_text: () => import('./gemma.ts'),
  gpt2: () => import('../gpt2.ts'),
  gpt_neox: () => import('./gpt-neox.ts'),
  granite: () => import('./llama.ts'),
  llama: () => import('./llama.ts'),
  mistral: () => import('./llama.ts'),
  olmo2: () => import('./olmo2.ts'),
  phi3: () => import('./phi3.ts'),
  qwen2: () => import('./llama.ts'),
  qwen3: () => import('./llama.ts'),
  smollm3: () => import('./llama.ts'),
};

/** The model type that the config says, or that the tensors look like. Undefined: no model of text. */
export function textType({ config, checkpoint }: ModelFiles): string | undefined {
  const type = config?.['model_type'] ?? config?.['architecture'];
  if (type) return Object.hasOwn(FAMILIES, String(type)) ? String(type) : undefined;
  return gpt2Prefix(checkpoint.tensors) === undefined ? undefined : 'gpt2';
}

/** Loads the module of a folder's family. Error: `unknown-architecture`. */
export function familyModule(files: ModelFiles): Promise<FamilyModule> {
  const type = textType(files);
  if (type === undefined)
    throw new TilewrightError(
      'unknown-architecture',
      `${files.name}: ${shown(files.config?.['model_type'])} is no model of text that is known`,
    );
  return FAMILIES[type]!();
}
