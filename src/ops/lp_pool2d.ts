import powers from '../../shaders/lib/pooling_powers.wgsl';
import { f32, part } from '../gpu/wgsl.ts';
import { opError, SUM } from './define.ts';
import { pool } from './pool2d.ts';

/** l2Pool2d: the root of the sum of squares in each window. */
export const l2Pool2d = pool('l2Pool2d', { tolerance: SUM, form: () => ({ module: part(powers, 'l2') }) });

interface LpPool2dOptions {
  /** The power and the root: an integer of 1 or more, 2 where absent. */
  p?: number;
}

/** lpPool2d (ONNX' LpPool): the p-th root of the sum of the p-th powers of absolute values in each window. */
export const lpPool2d = pool<LpPool2dOptions>('lpPool2d', {
  options: ['p'],
  // Two powers, by the tolerance of pow.
  tolerance: { ulps: 64 },
  check({ p = 2 }) {
    if (!(Number.isInteger(p) && p > 0))
      throw opError('invalid-argument', 'lpPool2d', `p is ${p}, expected an integer of 1 or more`);
  },
  form: ({ p = 2 }) => ({ module: part(powers, 'lp'), constants: { POWER: f32(p) }, tag: `p${p}` }),
});
