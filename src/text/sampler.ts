import { TilewrightError } from '../errors.ts';
import { createRandom } from './random.ts';
import { byRank } from './rank.ts';

export interface SamplerOptions {
  /** Divides the logits; 0 is greedy. Default 1. */
  temperature?: number;
  /** Only so many of the likeliest tokens. */
  topK?: number;
  /** Only the fewest likeliest tokens whose probabilities reach this sum, the one that crosses it included. */
  topP?: number;
  /** A safe integer from 0 on: the same seed and the same logits give the same tokens. Default: another each time. */
  seed?: number;
  /** Always the likeliest token, whatever the temperature. */
  greedy?: boolean;
}

/** Draws a token id from the logits [V] of one position. */
export type Sampler = (logits: Float32Array) => number;

/**
 * Temperature, then top-k, then top-p over what top-k left, as Hugging Face orders them. Equal logits rank by index,
 * lowest first, and exactly k tokens stay. A logit of -Infinity is never drawn. `invalid-argument` for options out of
 * range, and for logits that hold NaN or Infinity or leave nothing to choose from.
 *
 * The random numbers (random.ts) are the same on every platform; a draw could differ only where a platform's Math.exp
 * differs in its last bit.
 */
export function createSampler(options: SamplerOptions = {}): Sampler {
  checkOptions(options);
  const { temperature = 1, greedy = false } = options;
  if (greedy || temperature === 0) return likeliest;

  const random = createRandom(options.seed ?? Math.floor(Math.random() * 2 ** 32));
  let weights = new Float64Array(0);
  return (logits) => {
    const best = logits[likeliest(logits)]!;
    if (weights.length !== logits.length) weights = new Float64Array(logits.length);
    let mass = 0;
    for (let i = 0; i < logits.length; i++) {
      weights[i] = Math.exp((logits[i]! - best) / temperature);
      mass += weights[i]!;
    }
    return draw(narrow(logits, weights, mass, options), weights, random());
  };
}

/** The index of the largest logit, the lowest of equal ones. */
function likeliest(logits: Float32Array): number {
  let best = Number.NEGATIVE_INFINITY;
  let at = -1;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (logit > best) {
      best = logit;
      at = i;
    } else if (Number.isNaN(logit)) {
      throw unusable(`logit ${i} of ${logits.length} is NaN`);
    }
  }
  if (at < 0) throw unusable(`none of the ${logits.length} logits is above -Infinity`);
  if (best === Number.POSITIVE_INFINITY) throw unusable(`logit ${at} of ${logits.length} is Infinity`);
  return at;
}

/** Token ids to draw from, and the sum of their weights. */
interface Pool {
  ids: Iterable<number>;
  mass: number;
}

/** What top-k and top-p leave of all tokens, whose weights sum to `mass`. */
function narrow(logits: Float32Array, weights: Float64Array, mass: number, { topK, topP = 1 }: SamplerOptions): Pool {
  const fewer = topK !== undefined && topK < logits.length;
  let pool: Pool = { ids: fewer || topP < 1 ? byRank(logits) : weights.keys(), mass };
  if (fewer) pool = take(pool, weights, topK, Number.POSITIVE_INFINITY);
  if (topP < 1) pool = take(pool, weights, logits.length, topP * pool.mass);
  return pool;
}

/** The first of the pool: `count` of them, or fewer when their weights reach `enough`. */
function take(pool: Pool, weights: Float64Array, count: number, enough: number): Pool {
  const ids: number[] = [];
  let mass = 0;
  for (const id of pool.ids) {
    ids.push(id);
    mass += weights[id]!;
    if (ids.length >= count || mass >= enough) break;
  }
  return { ids, mass };
}

/** The id whose stretch of the running sum holds the point `u` of [0, 1). */
function draw({ ids, mass }: Pool, weights: Float64Array, u: number): number {
  let rest = u * mass;
  let last = 0;
  for (const id of ids) {
    if (weights[id] === 0) continue;
    rest -= weights[id]!;
    if (rest < 0) return id;
    last = id;
  }
  return last; // rounding left a crumb after the last of them
}

function checkOptions({ temperature = 1, topK = 1, topP = 1, seed = 0 }: SamplerOptions): void {
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw outOfRange('temperature', 'a finite number from 0 on', temperature);
  }
  if (!(Number.isInteger(topK) && topK >= 1)) throw outOfRange('topK', 'an integer from 1 on', topK);
  if (!(topP > 0 && topP <= 1)) throw outOfRange('topP', 'a number above 0 and up to 1', topP);
  if (!(Number.isSafeInteger(seed) && seed >= 0)) throw outOfRange('seed', 'a safe integer from 0 on', seed);
}

function outOfRange(name: string, expected: string, got: number): TilewrightError {
  return new TilewrightError('invalid-argument', `sampling: ${name}: expected ${expected}, got ${got}`);
}

function unusable(message: string): TilewrightError {
  return new TilewrightError('invalid-argument', `sampling: ${message}`, {
    hint: 'The weights are damaged, or a value overflowed: try the data type float32.',
  });
}
