import parts from '../../shaders/lib/trigonometry.wgsl';
import type { Tolerance } from './define.ts';
import { defineUnary, FAST, NEAR_ZERO } from './elementwise.ts';

/** WGSL promises 3 + 2|x| ulps of exp(x); these square exp(x/2). */
const POWERS: Tolerance = { ulps: 40 };

export const trigonometry = defineUnary(parts, {
  sin: { flops: 1, tolerance: FAST, values: { low: -3, high: 3 } },
  cos: { flops: 1, tolerance: FAST, values: { low: -3, high: 3 } },
  tan: { flops: 1, tolerance: FAST, values: { low: -1.2, high: 1.2 } },
  asin: { flops: 16, tolerance: NEAR_ZERO, values: { low: -1, high: 1 } },
  acos: { flops: 17, tolerance: NEAR_ZERO, values: { low: -1, high: 1 } },
  atan: { flops: 14, tolerance: NEAR_ZERO },
  sinh: { flops: 6, tolerance: POWERS },
  cosh: { flops: 6, tolerance: POWERS },
  asinh: { flops: 14, tolerance: NEAR_ZERO },
  acosh: { flops: 16, tolerance: NEAR_ZERO, values: { low: 1, high: 6 } },
  atanh: { flops: 15, tolerance: NEAR_ZERO, values: { low: -1, high: 1 } },
});
