import { describe, expect, it } from 'vitest';
import { tokenLoss, windows } from '../../src/text/perplexity.ts';

const upTo = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe('windows', () => {
  it('cuts full windows that do not overlap', () => {
    expect(windows(upTo(11), 4)).toEqual([
      { ids: [0, 1, 2, 3], scoreFrom: 1 },
      { ids: [4, 5, 6, 7], scoreFrom: 1 },
    ]);
    expect(windows(upTo(4), 4)).toHaveLength(1);
    expect(windows(upTo(12), 4)).toHaveLength(3);
  });

  it('scores every token but the first once when they overlap', () => {
    for (const [context, stride] of [
      [8, 3],
      [8, 7],
      [5, 1],
    ] as const) {
      const length = context + 4 * stride;
      const cut = windows(upTo(length), context, stride);
      expect(cut.every(({ ids }) => ids.length === context)).toBe(true);
      expect(cut.flatMap(({ ids, scoreFrom }) => ids.slice(scoreFrom))).toEqual(upTo(length).slice(1));
    }
  });

  it.each([
    [3, 4, undefined, 'the text has 3 tokens, a window takes 4'],
    [9, 1, undefined, 'a context of 2 tokens or more, got 1'],
    [9, 4, 5, 'a stride from 1 to 4, got 5'],
    [9, 4, 0, 'got 0'],
    [9, 4, 1.5, 'got 1.5'],
  ])('refuses %d tokens, context %d, stride %s', (length, context, stride, message) => {
    const refusal = expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(message) });
    expect(() => windows(upTo(length), context, stride)).toThrow(refusal);
  });
});

describe('tokenLoss', () => {
  it('is -log of the softmax', () => {
    const logits = Float32Array.from([0.1, 0.2, 0.3, 0.4], Math.log);
    expect(tokenLoss(logits, 1)).toBeCloseTo(-Math.log(0.2), 6);
    expect(tokenLoss(new Float32Array(1024), 7)).toBeCloseTo(Math.log(1024), 12);
  });

  it('does not overflow', () => {
    expect(tokenLoss(Float32Array.of(3e38, 0), 0)).toBe(0);
    expect(tokenLoss(Float32Array.of(1000, 0), 1)).toBe(1000);
    expect(tokenLoss(Float32Array.of(-1000, -1000), 1)).toBeCloseTo(Math.LN2, 12);
  });

  it('is infinite for a token that cannot come, and NaN for NaN', () => {
    expect(tokenLoss(Float32Array.of(0, Number.NEGATIVE_INFINITY), 1)).toBe(Number.POSITIVE_INFINITY);
    expect(tokenLoss(Float32Array.of(0, Number.NaN), 0)).toBeNaN();
  });

  it.each([-1, 2, 0.5, Number.NaN])('refuses the target %d of 2', (target) => {
    const refusal = expect.objectContaining({ code: 'invalid-argument' });
    expect(() => tokenLoss(new Float32Array(2), target)).toThrow(refusal);
  });
});
