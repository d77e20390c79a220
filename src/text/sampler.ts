import { TilewrightError } from '../errors.ts';
import { flag, integer, number, type Rules } from '../options.ts';
import { createRandom } from './random.ts';

export interface SamplerOptions {
  /** Divides the logits; 0 is greedy. Default 1. */
  temperature?: number;
  /** Only so many of the likeliest tokens. */
  topK?: number;
  /** Only the fewest likeliest tokens whose probabilities reach this sum, the one that crosses it included. */
  topP?: number;
  /** Only tokens whose probability is at least this part of the likeliest's; 0, the default, leaves none out. */
  minP?: number;
  /** A safe integer from 0 on: the same seed and the same logits give the same tokens. Default: another each time. */
  seed?: number;
  /** Always the likeliest token, whatever the temperature. */
  greedy?: boolean;
}

export const SAMPLER_RULES: Rules<SamplerOptions> = {
  temperature: number(0, Number.MAX_VALUE),
  topK: integer(1),
  topP: ['a number above 0, up to 1', (value) => number(0, 1)[1](value) && value !== 0],
  minP: number(0, 1),
  seed: integer(0),
  greedy: flag,
};

/** What the op `sample` takes for one token: temperature, top-k, top-p, a number of [0, 1) to draw by, min-p. */
export type SamplerSettings = readonly [temperature: number, topK: number, topP: number, draw: number, minP: number];

export const GREEDY: SamplerSettings = [0, 1, 1, 0, 0];

/** Float32 has no numbers beyond these: a smaller temperature is greedy, a larger one as good as the largest. */
const [SMALLEST, LARGEST] = [2 ** -126, 3e38];

/**
 * The settings of one token after the other. Temperature, then top-k, top-p over what top-k left, then min-p, as Hugging Face
 * orders them; equal logits rank by index, lowest first, and exactly k tokens stay. A logit of -Infinity is never
 * drawn. The options are as `SAMPLER_RULES` has them.
 *
 * The random numbers (random.ts) are the same on every platform; a draw could differ only where an adapter's exp and
 * the order of its sums do, in the last bits.
 */
export function createSampler(options: SamplerOptions = {}): () => SamplerSettings {
  const { temperature = 1, topK = LARGEST, topP = 1, minP = 0, greedy = false } = options;
  if (greedy || temperature < SMALLEST) return () => GREEDY;
  const random = createRandom(options.seed ?? Math.floor(Math.random() * 2 ** 32));
  return () => [Math.min(temperature, LARGEST), topK, topP, random(), minP];
}

/** For logits that nothing can be drawn from. */
export function unusableLogits(): TilewrightError {
  const message = 'sampling: the logits hold NaN or Infinity, or nothing above -Infinity';
  return new TilewrightError('invalid-argument', message, {
    hint: 'The weights are damaged, or a value overflowed: try the data type float32.',
  });
}
