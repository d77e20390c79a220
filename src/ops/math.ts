import binaryParts from '../../shaders/lib/binary_math.wgsl';
import unaryParts from '../../shaders/lib/unary_math.wgsl';
import { EXACT, FACTORS, NUMBERS, SIGNED, SIGNED_FACTORS } from './define.ts';
import { defineBinary, defineUnary, FAST, NEAR_ZERO, TWO_STEPS } from './elementwise.ts';

export const mathUnary = defineUnary(unaryParts, {
  leakyRelu: { flops: 2, alpha: 0.01, tolerance: { ulps: 1 } },
  softplus: { flops: 5, tolerance: NEAR_ZERO },
  elu: { flops: 3, alpha: 1, tolerance: NEAR_ZERO },
  hardSigmoid: { flops: 4, alpha: 0.2, beta: 0.5, tolerance: TWO_STEPS },
  hardSwish: { flops: 5, tolerance: { ulps: 4 } },
  abs: { flops: 1, types: SIGNED, tolerance: EXACT },
  sign: { flops: 1, types: SIGNED, tolerance: EXACT },
  ceil: { flops: 1, tolerance: EXACT },
  floor: { flops: 1, tolerance: EXACT },
  log: { flops: 1, tolerance: FAST, values: 'positive' },
  softsign: { flops: 3, tolerance: { ulps: 4 } },
  erf: { flops: 16, tolerance: { ulps: 4, absolute: 1e-6 } },
  roundEven: { flops: 1, tolerance: EXACT },
});

export const mathBinary = defineBinary(binaryParts, {
  pow: { types: FACTORS, integers: 'powInteger', tolerance: { ulps: 32 }, values: ['positive', { low: -3, high: 3 }] },
  mod: { types: NUMBERS, integers: 'modInteger', tolerance: { ulps: 1 } },
  fmod: { types: NUMBERS, integers: 'fmodInteger', tolerance: EXACT },
  prelu: { types: SIGNED_FACTORS, operands: ['input', 'slope'], tolerance: { ulps: 1 } },
});
