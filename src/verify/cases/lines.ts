import type { DataType } from '../../tensor/types.ts';
import { type OpCase, positive, special, type TensorSpec, test, type Values, valued } from '../case.ts';

const softmaxes: OpCase[] = [
  test('softmax', { input: [5, 7] }, { axis: -1 }),
  test('softmax', { input: [3, 64] }, { axis: 1 }),
  test('softmax', { input: [2, 130] }, { axis: 1 }),
  test('softmax', { input: [6, 5] }, { axis: 0 }),
  test('softmax', { input: [2, 39, 3, 4] }, { axis: 1 }),
  test('softmax', { input: [1, 1] }, { axis: 0 }),
  test('softmax', { input: [67, 3] }, { axis: 1 }),
  test('softmax', { input: valued([4, 33], { low: -60, high: 60 }) }, { axis: 1 }),
  test(
    'softmax',
    { input: valued([2, 32], [30000, 29990, -65504, 0, 1, -30000, 100, 29999]) },
    { axis: 1 },
    { note: 'extremes' },
  ),
  test('softmax', { input: special(9, 39) }, { axis: 1 }),
  test('softmax', { input: valued([3, 4], [-Infinity, -Infinity, 2, 1, Number.NaN, 0]) }, { axis: 1 }),
  test('softmax', { input: valued([2, 40], [-3.3e38]) }, { axis: 1 }, { note: 'the lowest', float32Only: true }),
  // More workgroups, of 32 lines each, than fit into one dimension of the grid.
  test('softmax', { input: [2097200, 1] }, { axis: 1 }, { float32Only: true }),
];

const rmsNorms: OpCase[] = [
  test('rmsNormalization', { input: [4, 16], scale: [16] }, { axes: [1] }),
  test('rmsNormalization', { input: [3, 5, 7], scale: [7] }, { axes: [2], epsilon: 1e-3 }),
  test('rmsNormalization', { input: [4, 260], scale: [260] }, { axes: [-1] }),
  test('rmsNormalization', { input: [2, 3, 67] }),
  test('rmsNormalization', { input: [2, 3, 4, 5], scale: [3, 4] }, { axes: [1, 2] }),
  test('rmsNormalization', { input: special(9, 40), scale: [40] }, { axes: [1] }),
];

const layerNorms: OpCase[] = [
  test('layerNormalization', { input: [4, 16], scale: [16], bias: [16] }, { axes: [1] }),
  test('layerNormalization', { input: [3, 5, 7], scale: [7], bias: [7] }, { axes: [2] }),
  test('layerNormalization', { input: [2, 3, 8], scale: [3, 8], bias: [3, 8] }, { axes: [1, 2] }),
  test('layerNormalization', { input: [35, 20] }, { axes: [-1] }),
  test('layerNormalization', { input: [3, 2, 9] }),
  test('layerNormalization', { input: [4, 260], scale: [260], bias: [260] }, { axes: [1], epsilon: 1e-3 }),
  test('layerNormalization', { input: [4, 67], scale: [67] }, { axes: [1] }),
  test('layerNormalization', { input: [4, 12], bias: [12] }, { axes: [1] }),
  test(
    'layerNormalization',
    { input: [4, 6, 5], scale: [6], bias: [6] },
    { axes: [1] },
    { tolerance: { ulps: 4, roundings: 2 } },
  ),
  test('layerNormalization', { input: [2, 3, 4, 5] }, { axes: [1, 2] }, { tolerance: { ulps: 4, roundings: 2 } }),
  test('layerNormalization', { input: [3, 4], bias: [] }, { axes: [] }),
  test('layerNormalization', { input: special(9, 40), scale: [40], bias: [40] }, { axes: [1] }),
  // A single pass over the squares would leave nothing of these.
  test(
    'layerNormalization',
    { input: valued([3, 64], { low: 1000, high: 1010 }), scale: [64], bias: [64] },
    { axes: [1] },
  ),
  test('layerNormalization', { input: valued([2, 37], { low: -2002, high: -2000 }) }, { axes: [1] }),
];

const otherNorms: OpCase[] = [
  test('batchNormalization', { input: [2, 6, 3, 5], mean: [6], variance: positive(6), scale: [6], bias: [6] }),
  test(
    'batchNormalization',
    { input: [2, 3, 5, 8], mean: [8], variance: positive(8), scale: [8], bias: [8] },
    { axis: 3, epsilon: 1e-3 },
  ),
  test('batchNormalization', { input: [4, 5], mean: [5], variance: positive(5) }),
  test('batchNormalization', { input: [3, 5, 2], mean: [3], variance: positive(3), scale: [3] }, { axis: 0 }),
  test('instanceNormalization', { input: [2, 3, 4, 5], scale: [3], bias: [3] }),
  test('instanceNormalization', { input: [2, 4, 5, 6], scale: [6], bias: [6] }, { layout: 'nhwc', epsilon: 1e-4 }),
  test('instanceNormalization', { input: [1, 2, 8, 8] }),
];

const SUMS = [
  'reduceSum',
  'reduceMean',
  'reduceMax',
  'reduceMin',
  'reduceProduct',
  'reduceL1',
  'reduceL2',
  'reduceSumSquare',
];

const reductions: OpCase[] = [
  ...SUMS.flatMap((op) => [
    test(op, { input: [7, 39] }, { axes: [1] }),
    test(op, { input: [5, 6, 4] }, { axes: [0], keepDimensions: true }),
    test(op, { input: [3, 4, 5] }),
    test(op, { input: [2, 3, 4, 5] }, { axes: [1, -1] }),
    test(op, { input: special(16, 39) }, { axes: [1] }),
    test(
      op,
      { input: valued([4, 2], [-Infinity, -Infinity, Infinity, Infinity]) },
      { axes: [1] },
      { note: 'nothing finite' },
    ),
  ]),
  ...['reduceLogSum', 'reduceLogSumExp'].flatMap((op) => [
    test(op, { input: positive(7, 39) }, { axes: [1] }),
    test(op, { input: positive(3, 4, 5) }),
    test(
      op,
      { input: valued([5, 3], [1, Number.NaN, 2, 3, Infinity, 1, -Infinity, 2, 2, -Infinity, -Infinity, -Infinity]) },
      { axes: [1] },
    ),
    test(op, { input: positive(2, 3, 4, 5) }, { axes: [0, 2], keepDimensions: true }),
  ]),
  // exp of these would overflow.
  test('reduceLogSumExp', { input: valued([4, 6], { low: 90, high: 200 }) }, { axes: [1] }),
  test('reduceSum', { input: [2, 3, 4, 6] }, { axes: [1, 2] }),
  test('reduceSum', { input: [2, 1000] }, { axes: [1] }),
  test('reduceMean', { input: [2, 7, 7, 12] }, { axes: [1, 2] }),
  test('reduceL2', { input: [3, 4] }, { axes: [] }),
];

const typed = (dataType: DataType, shape: readonly number[], values: Values = 'random'): TensorSpec => ({
  shape,
  dataType,
  values,
});
const LARGE: Values = { low: -2147483648, high: 2147483647 };
const LARGE_UNSIGNED: Values = { low: 0, high: 4294967295 };

const integerReductions: OpCase[] = [
  ...SUMS.filter((op) => op !== 'reduceL2').flatMap((op) => [
    test(op, { input: typed('int32', [7, 39]) }, { axes: [1] }),
    test(op, { input: typed('uint32', [5, 6, 3]) }, { axes: [0], keepDimensions: true }),
    test(op, { input: typed('int32', [5, 70], LARGE) }, { axes: [1] }, { note: 'large' }),
    test(op, { input: typed('uint32', [3, 5, 70], LARGE_UNSIGNED) }, { axes: [0, 2] }, { note: 'large' }),
  ]),
  test('reduceMean', { input: typed('int32', [5, 3], [-1, -1, 0, 1, 1, 0, -2, -2, -1, 7, -9, 1]) }, { axes: [1] }),
  ...['reduceMax', 'reduceMin'].flatMap((op) => [
    test(op, { input: typed('int8', [7, 39]) }, { axes: [1] }),
    test(op, { input: typed('uint8', [2, 5, 3]) }, { axes: [0] }),
    test(op, { input: typed('int8', [3, 5]) }),
    test(op, { input: typed('uint8', [5, 8, 36]) }, {}, { note: 'one line, cut into several' }),
    test(op, { input: special(6, 16, 20) }, {}, { note: 'one line, cut into several' }),
  ]),
];

const args: OpCase[] = ['argMax', 'argMin'].flatMap((op) => [
  test(op, { input: [5, 37] }, { axis: 1 }),
  test(op, { input: [5, 7, 3] }, { axis: 0, keepDimensions: true }),
  test(op, { input: [4, 36, 3] }, { axis: -2 }),
  test(op, { input: valued([2, 1500], 'few') }, { axis: 1 }, { note: 'a long line, of equals the first' }),
  test(op, { input: valued([9, 8], 'few') }, { axis: 1 }, { note: 'of equals, the first' }),
  test(op, { input: special(16, 39) }, { axis: 1 }),
  test(op, { input: special(4, 1200) }, { axis: 1 }),
  test(op, { input: valued([4, 3], [1, Infinity, Number.NaN, -Infinity, 1, -Infinity, Number.NaN]) }, { axis: 1 }),
  test(op, { input: valued([9, 8], 'few') }, { axis: 1, selectLastIndex: true }),
  test(op, { input: special(4, 1200) }, { axis: 1, selectLastIndex: true }),
  test(op, { input: typed('int32', [5, 37], LARGE) }, { axis: 1 }),
  test(op, { input: typed('int32', [3, 3], [2147483647, 16777217, 16777216, -2147483648, -1]) }, { axis: 0 }),
  test(op, { input: typed('uint32', [3, 90], LARGE_UNSIGNED) }, { axis: 1 }),
  test(op, { input: typed('int32', [2, 1500], 'few') }, { axis: 1, selectLastIndex: true }),
  test(op, { input: typed('uint32', [4, 5, 3], 'few') }, { axis: 1, selectLastIndex: true, keepDimensions: true }),
  test(op, { input: typed('int8', [5, 7]) }, { axis: 0 }),
  test(op, { input: typed('uint8', [3, 37], 'few') }, { axis: 1 }),
]);

export const cases: readonly OpCase[] = [
  ...softmaxes,
  ...layerNorms,
  ...rmsNorms,
  ...otherNorms,
  ...reductions,
  ...integerReductions,
  ...args,
];
