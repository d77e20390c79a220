import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_TOKEN } from '../../src/ops/sample.ts';
import { checkOptions } from '../../src/options.ts';
import { createSampler, SAMPLER_RULES, type SamplerOptions } from '../../src/text/sampler.ts';
import { sampleLine } from '../../src/verify/reference/sample.ts';

/** What the op `sample` would draw, one token after the other. */
function drawer(options: SamplerOptions): (logits: Float32Array) => number {
  const next = createSampler(options);
  return (logits) => sampleLine(logits, next());
}

/** Logits whose softmax is these probabilities. */
const logitsOf = (probabilities: readonly number[]): Float32Array => Float32Array.from(probabilities, Math.log);

/** How often each token is drawn. */
function shares(logits: Float32Array, options: SamplerOptions, draws = 20_000): number[] {
  const sample = drawer({ seed: 11, ...options });
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < draws; i++) counts[sample(logits)]!++;
  return counts.map((count) => count / draws);
}

/** Five standard deviations of a share over 20,000 draws, at most. */
const TOLERANCE = 5 * Math.sqrt(0.25 / 20_000);

function expectShares(got: readonly number[], expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length);
  expected.forEach((share, id) => {
    if (share === 0) expect(got[id], `token ${id}`).toBe(0);
    else expect(Math.abs(got[id]! - share), `token ${id}: ${got[id]}, expected ${share}`).toBeLessThan(TOLERANCE);
  });
}

const probabilities = [0.1, 0.4, 0.05, 0.25, 0.2];

describe('createSampler, greedy', () => {
  it.each([
    { temperature: 0 },
    { greedy: true },
    { greedy: true, temperature: 2, topK: 3 },
    { topK: 1 },
    { topP: 1e-9 },
  ])('takes the likeliest, the lowest index of equals: %o', (options) => {
    const sample = drawer(options);
    expect(sample(logitsOf(probabilities))).toBe(1);
    expect(sample(Float32Array.of(1, 7, 7, 7))).toBe(1);
    expect(sample(Float32Array.of(-5))).toBe(0);
    expect(sample(Float32Array.of(Number.NEGATIVE_INFINITY, -3e38))).toBe(1);
  });
});

describe('createSampler, at random', () => {
  const logits = logitsOf(probabilities);

  it('draws by softmax', () => {
    expectShares(shares(logits, {}), probabilities);
    expectShares(
      shares(
        logits.map((logit) => logit + 500),
        {},
      ),
      probabilities,
    );
  });

  it('divides by the temperature', () => {
    const squared = probabilities.map((p) => p ** 2);
    const sum = squared.reduce((a, b) => a + b);
    expectShares(
      shares(logits, { temperature: 0.5 }),
      squared.map((p) => p / sum),
    );
    expectShares(shares(logits, { temperature: 1e-300 }), [0, 1, 0, 0, 0]);
    expectShares(shares(logits, { temperature: 1e30 }), [0.2, 0.2, 0.2, 0.2, 0.2]);
  });

  it('keeps the k likeliest', () => {
    expectShares(shares(logits, { topK: 3 }), [0, 0.4 / 0.85, 0, 0.25 / 0.85, 0.2 / 0.85]);
    expectShares(shares(logits, { topK: 99 }), probabilities);
  });

  it('keeps exactly k of equals, the lowest indices', () => {
    expectShares(shares(Float32Array.of(0, 1, 1, 1, 1), { topK: 2 }), [0, 0.5, 0.5, 0, 0]);
  });

  it('keeps the nucleus with the token that crosses p', () => {
    expectShares(shares(logits, { topP: 0.39 }), [0, 1, 0, 0, 0]);
    expectShares(shares(logits, { topP: 0.41 }), [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0]);
    expectShares(shares(logits, { topP: 0.86 }), [0.1 / 0.95, 0.4 / 0.95, 0, 0.25 / 0.95, 0.2 / 0.95]);
    expectShares(shares(logits, { topP: 1 }), probabilities);
  });

  it('takes p of what top-k left', () => {
    // Of 0.4 and 0.25, the first alone is 0.615: enough for 0.6 of them, though not for 0.6 of all.
    expectShares(shares(logits, { topK: 2, topP: 0.6 }), [0, 1, 0, 0, 0]);
    expectShares(shares(logits, { topK: 2, topP: 0.63 }), [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0]);
  });

  it('takes p after the temperature', () => {
    // At temperature 0.5 the squares 0.16 of 0.2750 are 0.58; without it, 0.4 would do for no p above 0.4.
    expectShares(shares(logits, { temperature: 0.5, topP: 0.55 }), [0, 1, 0, 0, 0]);
  });

  it('keeps what is likely enough beside the likeliest', () => {
    // 0.4 times 0.5 is 0.2: nothing is that near a bound.
    expectShares(shares(logits, { minP: 0.55 }), [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0]);
    expectShares(shares(logits, { minP: 0.2 }), [0.1 / 0.95, 0.4 / 0.95, 0, 0.25 / 0.95, 0.2 / 0.95]);
    expectShares(shares(logits, { minP: 1 }), [0, 1, 0, 0, 0]);
    expectShares(shares(logits, { minP: 0 }), probabilities);
    // After the temperature, and after top-p: 0.4, 0.25 and 0.2 are 0.8 of all, though less than 0.86 of what min-p would leave.
    expectShares(
      shares(logits, { minP: 0.45, temperature: 2 }),
      [0.5, 1, 0, Math.sqrt(0.625), Math.SQRT1_2].map((weight, _, all) => weight / all.reduce((a, b) => a + b)),
    );
    expectShares(shares(logits, { topP: 0.84, minP: 0.3 }), [0, 0.4 / 0.85, 0, 0.25 / 0.85, 0.2 / 0.85]);
  });

  it('never draws a masked token', () => {
    const masked = Float32Array.of(Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY, 0);
    for (const options of [{}, { topK: 3 }, { topP: 0.999 }]) expectShares(shares(masked, options), [0, 0.5, 0, 0.5]);
  });

  it('repeats itself with a seed, and only with the same', () => {
    const tokens = (options: SamplerOptions): number[] => {
      const sample = drawer(options);
      return Array.from({ length: 64 }, () => sample(logits));
    };
    expect(tokens({ seed: 5 })).toEqual(tokens({ seed: 5 }));
    expect(tokens({ seed: 5 })).not.toEqual(tokens({ seed: 6 }));
    expect(tokens({})).not.toEqual(tokens({}));
    // sfc32 from seed 42 gives 0.294, 0.453, 0.913, 0.291: points on the running sum 0.1, 0.5, 0.55, 0.8, 1.
    expect(tokens({ seed: 42 }).slice(0, 4)).toEqual([1, 1, 4, 1]);
  });

  it('takes vocabularies of different sizes in turn', () => {
    const sample = drawer({ seed: 1, topP: 0.9 });
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 1, noNaN: true, noDefaultInfinity: true, maxExcluded: true }),
        (some) => {
          const id = sample(some);
          expect(Number.isInteger(id) && id >= 0 && id < some.length).toBe(true);
        },
      ),
    );
  });

  it('takes a vocabulary of 50257', () => {
    const many = Float32Array.from({ length: 50257 }, (_, i) => ((i * 7919) % 50257) / 10_000);
    const best = new Set([...many.keys()].sort((i, j) => many[j]! - many[i]!).slice(0, 40));
    const sample = drawer({ seed: 2, topK: 40, topP: 0.95 });
    for (let i = 0; i < 10; i++) expect(best.has(sample(many))).toBe(true);
  });
});

describe('bug 17: the rules of sampling refuse', () => {
  it.each([
    { temperature: -1 },
    { temperature: Number.NaN },
    { temperature: Number.POSITIVE_INFINITY },
    { topK: 0 },
    { topK: 1.5 },
    { topK: -3 },
    { topP: 0 },
    { topP: 1.1 },
    { topP: Number.NaN },
    { minP: 1.1 },
    { minP: -0.1 },
    { seed: -1 },
    { seed: 0.5 },
    { seed: 2 ** 53 },
  ])('%o', (options) => {
    const name = Object.keys(options)[0]!;
    const refusal = expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(name) });
    expect(() => checkOptions('generate', options, SAMPLER_RULES)).toThrow(refusal);
  });

  it.each([
    ['NaN', [0, Number.NaN, 1]],
    ['Infinity', [0, Number.POSITIVE_INFINITY]],
    ['only masked logits', [Number.NEGATIVE_INFINITY]],
  ])('%s: there is no token', (_, logits) => {
    for (const options of [{}, { temperature: 0 }, { topK: 2 }])
      expect(drawer(options)(Float32Array.from(logits))).toBe(NO_TOKEN);
  });
});
