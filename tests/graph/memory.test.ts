import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Lifetime, planMemory } from '../../src/graph/memory.ts';

const lifetime: fc.Arbitrary<Lifetime> = fc
  .tuple(fc.integer({ min: 1, max: 1000 }), fc.nat(30), fc.nat(10))
  .map(([bytes, from, length]) => ({ bytes, from, to: from + length }));

describe('memory planner', () => {
  it('gives touching lifetimes different slots, and slots that hold all their tenants', () => {
    fc.assert(
      fc.property(fc.array(lifetime, { maxLength: 40 }), (lives) => {
        const { slots, sizes } = planMemory(lives);
        for (const [i, a] of lives.entries()) {
          expect(sizes[slots[i]!]).toBeGreaterThanOrEqual(a.bytes);
          for (const [j, b] of lives.entries()) {
            if (i < j && a.from <= b.to && b.from <= a.to) expect(slots[i]).not.toBe(slots[j]);
          }
        }
        const most = lives.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('a chain of steps needs two buffers', () => {
    const chain = Array.from({ length: 10 }, (_, i) => ({ bytes: 64, from: i, to: i + 1 }));
    expect(planMemory(chain).sizes).toEqual([64, 64]);
  });
});
