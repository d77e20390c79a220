import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkOptions } from '../../src/options.ts';
import { ADJUSTMENT_RULES, type AdjustmentOptions, Adjustments } from '../../src/text/adjustments.ts';
import { adjustedLogits } from '../support/adjusted.ts';

const VOCABULARY = 7;

/** What the graph makes of logits (models/sampled.ts). */
const applied = (logits: readonly number[], { terms, factors }: Adjustments): number[] =>
  logits.map((logit, id) => {
    const moved = logit + terms[id]!;
    return moved > 0 ? moved / factors[id]! : moved * factors[id]!;
  });

const id = fc.integer({ min: 0, max: VOCABULARY - 1 });
const ids = fc.array(id, { maxLength: 24 });
// Numbers that float32 sums exactly.
const eighths = (low: number, high: number) => fc.integer({ min: 8 * low, max: 8 * high }).map((n) => n / 8);
const options: fc.Arbitrary<AdjustmentOptions> = fc.record({
  repetitionPenalty: eighths(1, 3),
  presencePenalty: eighths(-2, 2),
  frequencyPenalty: eighths(-2, 2),
  noRepeatNgramSize: fc.integer({ min: 0, max: 4 }),
  sequenceBias: fc.array(
    fc.tuple(
      fc.array(id, { minLength: 1, maxLength: 3 }),
      fc.oneof(eighths(-9, 9), fc.constant(Number.NEGATIVE_INFINITY)),
    ),
    { maxLength: 4 },
  ),
});

describe('Adjustments', () => {
  it('are what counting the whole text anew gives, after every token', () => {
    const logits = [3, -2, 0.5, 0, -7, 1, 4];
    fc.assert(
      fc.property(options, ids, ids, (how, prompt, text) => {
        const followed = Adjustments.of(how, VOCABULARY, prompt);
        text.forEach((token, i) => {
          const expected = adjustedLogits(logits, prompt, text.slice(0, i), how);
          expect(followed ? applied(logits, followed) : logits).toEqual(expected);
          followed?.push(token);
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('are nothing where the options are at their neutral values', () => {
    for (const how of [{}, { repetitionPenalty: 1, presencePenalty: 0, noRepeatNgramSize: 0, sequenceBias: [] }])
      expect(Adjustments.of(how, VOCABULARY, [1, 2])).toBeUndefined();
  });

  it.each([
    { repetitionPenalty: 0 },
    { repetitionPenalty: Number.POSITIVE_INFINITY },
    { presencePenalty: Number.NaN },
    { frequencyPenalty: '1' },
    { noRepeatNgramSize: 1.5 },
    { sequenceBias: [[[], 1]] },
    { sequenceBias: [[[1], Number.POSITIVE_INFINITY]] },
    { sequenceBias: { 5: 1 } },
  ])('refuse %o', (how) => {
    const [name] = Object.keys(how);
    const refusal = expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(name!) });
    expect(() => checkOptions('generate', how as AdjustmentOptions, ADJUSTMENT_RULES)).toThrow(refusal);
  });

  it('refuse a bias on tokens that the model lacks', () => {
    const refusal = expect.objectContaining({ code: 'invalid-argument' });
    expect(() => Adjustments.of({ sequenceBias: [[[2, VOCABULARY], 1]] }, VOCABULARY, [])).toThrow(refusal);
  });
});
