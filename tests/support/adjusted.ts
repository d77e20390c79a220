import type { AdjustmentOptions } from '../../src/text/adjustments.ts';

/** Logits after a prompt and a text, adjusted as options say: from the whole of both, one rule after the other. */
export function adjustedLogits(
  logits: ArrayLike<number>,
  prompt: readonly number[],
  text: readonly number[],
  options: AdjustmentOptions,
): number[] {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = options;
  const { noRepeatNgramSize: size = 0, sequenceBias = [] } = options;
  const all = [...prompt, ...text];
  const line = Array.from(logits);
  for (const [ids, bias] of sequenceBias) {
    const before = ids.slice(0, -1);
    const end = all.slice(all.length - before.length);
    if (before.length <= all.length && before.join() === end.join()) line[ids.at(-1)!]! += bias;
  }
  for (const token of text) line[token]! -= frequencyPenalty;
  for (const token of new Set(text)) line[token]! -= presencePenalty;
  const penalised = (logit: number): number => (logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty);
  for (const token of new Set(all)) line[token] = penalised(line[token]!);
  const end = all.slice(all.length - size + 1).join();
  for (let i = 0; size && i + size <= all.length; i++)
    if (all.slice(i, i + size - 1).join() === (size === 1 ? '' : end))
      line[all[i + size - 1]!] = Number.NEGATIVE_INFINITY;
  return line;
}
