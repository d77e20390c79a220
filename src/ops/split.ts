import { elementCount, formatShape, stridesOf } from '../tensor/types.ts';
import {
  defineOp,
  EXACT,
  type Labelled,
  NUMBERS,
  needAxis,
  type Operand,
  opError,
  type Part,
  type Shape,
} from './define.ts';
import { rearrange } from './movement.ts';

interface SplitOptions {
  /** The number of equal results, or the size of each. */
  splits: number | readonly number[];
  axis?: number;
}

function sizesOf({ splits, axis = 0 }: SplitOptions, shape: Shape): { at: number; sizes: readonly number[] } {
  const at = needAxis('split', axis, shape.length);
  const extent = shape[at]!;
  const sizes = typeof splits === 'number' ? new Array<number>(splits).fill(extent / splits) : splits;
  if (
    !sizes.length ||
    !sizes.every((size) => Number.isInteger(size) && size >= 0) ||
    sizes.reduce((a, b) => a + b) !== extent
  )
    throw opError(
      'invalid-argument',
      'split',
      `[${sizes.join(',')}] does not divide the ${extent} of axis ${at} of ${formatShape(shape)}`,
    );
  return { at, sizes };
}

type Split = (
  input: Operand,
  splits: number | readonly number[],
  options?: { axis?: number } & Labelled,
) => readonly Operand[];

/** split: consecutive slices of `axis`, a result and a dispatch for each. */
export const split = defineOp<SplitOptions, Split>({
  name: 'split',
  operands: { input: { types: NUMBERS } },
  args: ['splits'],
  options: ['axis'],
  results: 'many',
  alongAxis: true,
  tolerance: EXACT,
  infer({ input }, options) {
    const { dataType, shape } = input!;
    const { at, sizes } = sizesOf(options, shape);
    return sizes.map((size) => ({ dataType, shape: shape.map((extent, d) => (d === at ? size : extent)) }));
  },
  candidates({ input }, options, _output, _caps, results) {
    const { shape } = input!;
    const { at, sizes } = sizesOf(options, shape);
    const strides = stridesOf(shape);
    let start = 0;
    const parts = results.flatMap((result, i): Part[] => {
      const axes = result.shape.map((size, d) => ({
        size,
        step: 1,
        start: d === at ? start : 0,
        extent: shape[d]!,
        stride: strides[d]!,
      }));
      start += sizes[i]!;
      if (!elementCount(result.shape)) return [];
      const [{ params, grid }] = rearrange('split', result, axes);
      return [{ params, grid, bind: { output: `output${i}` } }];
    });
    const [whole] = rearrange('split', results[0]!, []);
    return [{ ...whole, parts }];
  },
});
