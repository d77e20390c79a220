import kernel from '../../shaders/triangular.wgsl';
import { defineOp, EXACT, type Labelled, NUMBERS, type Operand, opError } from './define.ts';
import { mover } from './mover.ts';

interface TriangularOptions {
  /** What is on the diagonal and above it (where absent), or on it and below. */
  upper?: boolean;
  /** How far the diagonal is to the right of that which begins in the corner. */
  diagonal?: number;
}

type Triangular = (input: Operand, options?: TriangularOptions & Labelled) => Operand;

/** Differences of coordinates at the most. */
const FAR = 2 ** 31 - 1;

/** triangular: the triangle of each matrix of the last two axes; zeros in the other. */
export const triangular = defineOp<TriangularOptions, Triangular>({
  name: 'triangular',
  operands: { input: { types: NUMBERS, rank: [2, Number.POSITIVE_INFINITY] } },
  options: ['upper', 'diagonal'],
  tolerance: EXACT,
  infer({ input }, { diagonal = 0 }) {
    if (!Number.isInteger(diagonal))
      throw opError('invalid-argument', 'triangular', `diagonal is ${diagonal}, expected an integer`);
    return input!;
  },
  candidates(_inputs, { upper = true, diagonal = 0 }, output) {
    const [rows, columns] = output.shape.slice(-2) as [number, number];
    const edge = Math.max(-FAR, Math.min(FAR, diagonal));
    const params = { rows, columns, low: upper ? edge : -FAR, high: upper ? FAR : edge };
    return [mover('triangular', kernel, output, params)];
  },
});
