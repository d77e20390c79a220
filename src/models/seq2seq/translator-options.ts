import { flag, integer, list, number, oneOf, type Rules, signal } from '../../options.ts';
import { ADJUSTMENT_RULES, type AdjustmentOptions } from '../../text/adjustments.ts';
import { SAMPLER_RULES, type SamplerOptions } from '../../text/sampler.ts';

/** Options that are left out have the values of generation_config.json, where the folder has one. */
export interface TranslateOptions extends SamplerOptions, AdjustmentOptions {
  /** So many texts are written side by side, and the best of them is the result (beam search). Default 1. */
  numBeams?: number;
  /** Of beams: a text's score is the sum of its log-probabilities by its length to this power. Above 0 longer ones gain. Default 1. */
  lengthPenalty?: number;
  /** Of beams: whether to end with as many whole texts as beams. `never`: only where no better one can come. Default false. */
  earlyStopping?: boolean | 'never';
  /** To the end of the context where neither the caller nor the folder says it. */
  maxNewTokens?: number;
  /** Before so many the text does not end. */
  minNewTokens?: number;
  /** Tokens that end the text; the model's where absent. */
  stopTokens?: readonly number[];
  /** Whether a text that is longer than the model takes is cut at its end. Default: it is an error. */
  truncate?: boolean;
  /** Ends the text with `aborted`. */
  signal?: AbortSignal;
}

export const TRANSLATE_RULES: Rules<TranslateOptions> = {
  ...SAMPLER_RULES,
  ...ADJUSTMENT_RULES,
  numBeams: integer(1, 64),
  lengthPenalty: number(-100, 100),
  earlyStopping: oneOf(false, true, 'never'),
  maxNewTokens: integer(1),
  minNewTokens: integer(0),
  stopTokens: list(integer(0)),
  truncate: flag,
  signal,
};
