import { TilewrightError } from '../errors.ts';
import type { GroupName } from '../graph/groups/index.ts';
import type { Graph } from '../graph/ir.ts';
import { shown } from '../options.ts';
import { gpt2Prefix } from './detect.ts';
import type { LoadOptions, ModelFiles } from './model.ts';
import type { Weights } from './weights.ts';

/** The sizes of a model of text. */
export interface TextShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Tokens of a text at the most. */
  readonly context: number;
  readonly vocabulary: number;
}

export interface TextGraphOptions {
  readonly dataType: 'float32' | 'float16';
  /** Tokens of a run. */
  readonly tokens: number;
  /** Logits after every token, or the token drawn after position `last` of the chunk. A chunk of 1 has no input `last`. */
  readonly predict: 'all' | 'last';
}

/** A folder's model of text: what its family makes of config and tensor names. */
export interface TextFamily {
  /** The config's `model_type`. */
  readonly architecture: string;
  readonly shape: TextShape;
  readonly weights: Weights;
  /**
   * The graph for a chunk of tokens. Inputs: `tokens` and `positions`, uint32[tokens]. Output: `logits`, or `token`, drawn by the input
   * `settings` (ops/sample.ts). Keys and values of all positions are states, so a chunk may start anywhere.
   */
  graph(options: TextGraphOptions): Graph;
}

/** A module of families. */
export interface FamilyModule {
  /** Groups of ops that its graphs have beside `text`. */
  readonly groups: readonly GroupName[];
  /** Errors: those of the config and of the tensors. */
  family(files: ModelFiles, options: LoadOptions): TextFamily;
}

/** The module of each `model_type` of transformers. */
const FAMILIES: Readonly<Record<string, () => Promise<FamilyModule>>> = {
  gemma: () => import('./families/gemma.ts'),
  gemma2: () => import('./families/gemma.ts'),
  gemma3_text: () => import('./families/gemma.ts'),
  gpt2: () => import('./gpt2.ts'),
  gpt_neox: () => import('./families/gpt-neox.ts'),
  granite: () => import('./families/llama.ts'),
  llama: () => import('./families/llama.ts'),
  mistral: () => import('./families/llama.ts'),
  olmo2: () => import('./families/olmo2.ts'),
  phi3: () => import('./families/phi3.ts'),
  qwen2: () => import('./families/llama.ts'),
  qwen3: () => import('./families/llama.ts'),
  smollm3: () => import('./families/llama.ts'),
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

/** In words, for messages. */
export const TEXT_MODELS =
  'GPT-2, Llama, Mistral, Qwen2, Qwen3, SmolLM3, Gemma 1 to 3, Phi-3, GPT-NeoX, OLMo 2 and Granite';
