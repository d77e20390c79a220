import { TilewrightError } from '../errors.ts';

/** A stretch of a text to run the model over, and which of its tokens count. */
export interface Window {
  readonly ids: readonly number[];
  /** The first index in `ids` whose token is scored, from what stands before it in the window: at least 1. */
  readonly scoreFrom: number;
}

/**
 * Cuts a text into full windows of `context` tokens, a new one every `stride` tokens; the rest at the end is left
 * out. By default they do not overlap, and the mean over windows of their mean loss is what tools/train_gpt_text.py
 * prints. With a smaller stride every token but those of the first window is scored once, with at least
 * `context - stride` tokens before it. `invalid-argument` when the text does not fill one window.
 */
export function windows(ids: readonly number[], context: number, stride = context): Window[] {
  if (!Number.isInteger(context) || context < 2) {
    throw new TilewrightError('invalid-argument', `windows: expected a context of 2 tokens or more, got ${context}`);
  }
  if (!Number.isInteger(stride) || stride < 1 || stride > context) {
    throw new TilewrightError('invalid-argument', `windows: expected a stride from 1 to ${context}, got ${stride}`);
  }
  if (ids.length < context) {
    const message = `windows: the text has ${ids.length} tokens, a window takes ${context}`;
    throw new TilewrightError('invalid-argument', message, { hint: 'Give a longer text or a smaller context.' });
  }
  const count = Math.floor((ids.length - context) / stride) + 1;
  return Array.from({ length: count }, (_, n) => ({
    ids: ids.slice(n * stride, n * stride + context),
    scoreFrom: n === 0 ? 1 : Math.max(1, context - stride),
  }));
}

/** The loss of one token in nats, -log softmax(logits)[target], in float64. NaN logits give NaN. */
export function tokenLoss(logits: Float32Array, target: number): number {
  if (!Number.isInteger(target) || target < 0 || target >= logits.length) {
    throw new TilewrightError(
      'invalid-argument',
      `tokenLoss: expected a target from 0 to ${logits.length - 1}, got ${target}`,
    );
  }
  return logSumExp(logits) - logits[target]!;
}

/** log Σ exp(logits), in float64: a token's logit less this is the logarithm of its probability. */
export function logSumExp(logits: Float32Array): number {
  const best = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  return best + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - best), 0));
}
