import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHalf, toHalf } from '../../src/tensor/half.ts';

describe('float16', () => {
  it('every number goes there and back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalf(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(fromHalf(toHalf(value)))).toBe(true);
      else expect(toHalf(value)).toBe(bits);
    }
  });

  it('rounds to the nearest, and to even between two', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (x) => {
        const bits = toHalf(x);
        const [down, up] = [bits - 1, bits + 1].map((b) => (b < 0 || (b & 0x7fff) > 0x7c00 ? Number.NaN : fromHalf(b)));
        const error = Math.abs(fromHalf(bits) - x);
        for (const neighbour of [down!, up!]) {
          const other = Math.abs(neighbour - x);
          if (other < error || (other === error && bits & 1)) return false;
        }
        return true;
      }),
      { numRuns: 2000 },
    );
    expect(toHalf(2049)).toBe(toHalf(2048));
    expect(toHalf(2051)).toBe(toHalf(2052));
    expect(fromHalf(toHalf(1e6))).toBe(Number.POSITIVE_INFINITY);
    expect(fromHalf(toHalf(65519))).toBe(65504);
  });
});
