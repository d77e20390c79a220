import { logSumExp } from './perplexity.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A token that may come next, and the natural logarithm of its probability. */
export interface TokenLogprob {
  readonly token: number;
  /** What it is in a text of its own; empty where the model has no tokenizer. */
  readonly text: string;
  readonly logprob: number;
}

/** How likely the token was that was drawn, and the likeliest tokens in its place, in their order. */
export interface Logprobs {
  readonly drawn: TokenLogprob;
  readonly top: readonly TokenLogprob[];
}

/** log softmax of a line of logits: of one token, and of the `top` largest. Of equal ones the lowest id comes first. */
export function logprobsOf(
  logits: Float32Array,
  token: number,
  top: number,
  tokenizer: Pick<Tokenizer, 'decode'> | undefined,
): Logprobs {
  const whole = logSumExp(logits);
  const of = (id: number): TokenLogprob => ({
    token: id,
    text: tokenizer?.decode([id]) ?? '',
    logprob: logits[id]! - whole,
  });
  const first: number[] = [];
  for (let id = 0; id < logits.length && top > 0; id++) {
    if (first.length === top && !(logits[id]! > logits[first.at(-1)!]!)) continue;
    const at = first.findLastIndex((other) => logits[other]! >= logits[id]!) + 1;
    first.splice(at, 0, id);
    if (first.length > top) first.pop();
  }
  return { drawn: of(token), top: first.map(of) };
}
