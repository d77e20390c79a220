import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/text/random.ts';

describe('createRandom', () => {
  it.each([
    // From the definition, compiled as C with uint32_t.
    [0, [1363572419, 145230303, 808754475, 4216505632]],
    [1, [2012149540, 1872316204, 1707632675, 1779833415]],
    [42, [1264412219, 1947509147, 3919439299, 1251167922]],
    [Number.MAX_SAFE_INTEGER, [3268402823, 2602357022, 3266425223, 182731693]],
  ])('gives the numbers of sfc32 for seed %d', (seed, expected) => {
    const random = createRandom(seed);
    expect(expected.map(() => random() * 2 ** 32)).toEqual(expected);
  });

  it('tells seeds apart that differ above 32 bits', () => {
    expect(createRandom(1)()).not.toBe(createRandom(1 + 2 ** 32)());
  });

  it('is even over 16 bins', () => {
    const random = createRandom(3);
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < 160_000; i++) bins[Math.floor(random() * 16)]!++;
    const chiSquared = bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquared).toBeLessThan(37.7); // 15 degrees of freedom, p = 0.001
  });
});
