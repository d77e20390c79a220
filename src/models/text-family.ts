import type { GroupName } from '../graph/groups/index.ts';
import type { Graph } from '../graph/ir.ts';
import type { LoadOptions, ModelFiles } from './model.ts';
import type { Weights } from './weights.ts';

/** A model of more parameters has weights of int8, unless another type is asked for. */
const MOST_FLOAT = 300e6;

/** The options of a load, with the type of the weights where nobody asks for one. */
export const typed = <T extends LoadOptions>(options: T, { parameters }: Weights): T =>
  options.dtype || parameters <= MOST_FLOAT ? options : { ...options, dtype: 'int8' };

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
  /**
   * Logits after every token, or the token drawn after position `last` of the chunk. A chunk of 1 has no input `last`.
   * `each`: the tokens drawn after every one of the chunk. `adjusted`: the token that a chunk of 1 draws from logits that its inputs change (sampled.ts), and the logits as they were.
   */
  readonly predict: 'all' | 'last' | 'each' | 'adjusted';
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
