import { constant, float16, half, inFloat32, int8, type OpCase, scales, special, test, valued } from '../case.ts';

const NHWC = { inputLayout: 'nhwc', filterLayout: 'hwio' };
const relu = { activation: { name: 'relu' } };
const SAME = { padding: [1, 1, 1, 1] };

/** Channels-last, as the kernels take it. */
const nhwc = (inputs: OpCase['inputs'], options: object = {}): OpCase =>
  test('conv2d', inputs, { ...NHWC, ...options });

const windows: OpCase[] = [
  nhwc({ input: [1, 5, 7, 4], filter: [3, 3, 4, 8] }),
  nhwc({ input: [2, 6, 5, 8], filter: [3, 3, 8, 4] }, SAME),
  nhwc({ input: [1, 9, 8, 4], filter: [3, 3, 4, 4] }, { ...SAME, strides: [2, 2] }),
  nhwc({ input: [1, 9, 11, 4], filter: [3, 2, 4, 4] }, { padding: [0, 2, 3, 1], strides: [2, 3] }),
  nhwc({ input: [1, 9, 11, 4], filter: [3, 3, 4, 4] }, { padding: [2, 1, 0, 3], dilations: [2, 3] }),
  nhwc({ input: [1, 16, 16, 4], filter: [7, 7, 4, 8] }, { padding: [3, 3, 3, 3], strides: [2, 2] }),
  nhwc({ input: [1, 1, 1, 4], filter: [3, 3, 4, 4] }, SAME),
  ...inFloat32([nhwc({ input: [1, 4, 70, 4], filter: [1, 3, 4, 72] }, { padding: [0, 0, 1, 1] })]),
];

/** Ragged on one side or both; the ones ragged on both have an epilogue too. */
const ragged: OpCase[] = inFloat32([
  nhwc({ input: [1, 6, 6, 3], filter: [3, 3, 3, 8] }, SAME),
  nhwc({ input: [2, 6, 6, 5], filter: [3, 3, 5, 4] }),
  nhwc({ input: [1, 6, 6, 4], filter: [3, 3, 4, 5] }, SAME),
  nhwc({ input: [1, 6, 6, 3], filter: [3, 3, 3, 5], bias: [5], residual: [1, 4, 4, 5] }, relu),
  nhwc({ input: [1, 6, 6, 1], filter: [3, 3, 1, 3], bias: [3], residual: [1, 2, 4, 3] }, { strides: [2, 1], ...relu }),
  nhwc({ input: [2, 5, 5, 6], filter: [3, 3, 3, 10], bias: [10], residual: [2, 3, 3, 10] }, { groups: 2, ...relu }),
  nhwc({ input: [1, 5, 5, 6], filter: [3, 3, 2, 9], bias: [9], residual: [1, 3, 3, 9] }, { groups: 3, ...relu }),
  // More than one output channel for each input channel.
  nhwc({ input: [1, 5, 5, 4], filter: [3, 3, 1, 8], bias: [8], residual: [1, 3, 3, 8] }, { groups: 4, ...relu }),
]);

/** Enough channels for subgroup matrices. */
const matrices: OpCase[] = [
  nhwc({ input: float16([1, 7, 9, 32]), filter: float16([3, 3, 32, 24]), bias: float16([24]) }, { ...SAME, ...relu }),
  nhwc({ input: float16([2, 7, 6, 37]), filter: float16([3, 2, 37, 21]) }, { ...SAME, strides: [2, 1] }),
  nhwc({ input: float16([1, 5, 6, 64]), filter: float16([3, 3, 32, 48]) }, { groups: 2, ...SAME, dilations: [1, 2] }),
];

/** These are matrix products. */
const pointwise: OpCase[] = [
  nhwc({ input: [1, 5, 6, 8], filter: [1, 1, 8, 8] }),
  nhwc({ input: [2, 5, 5, 7], filter: [1, 1, 7, 5] }),
  nhwc({ input: [1, 4, 4, 12], filter: [1, 1, 4, 12] }, { groups: 3 }),
  nhwc({ input: [1, 6, 6, 8], filter: [1, 1, 8, 4] }, { strides: [2, 2] }),
  nhwc({ input: [1, 3, 3, 4], filter: [1, 1, 4, 4] }, { padding: [1, 0, 0, 1] }),
];

const DEPTHWISE = { padding: [1, 0, 2, 1], strides: [2, 1], dilations: [1, 2] };

const grouped: OpCase[] = [
  nhwc({ input: [1, 5, 5, 8], filter: [3, 3, 4, 8] }, { groups: 2, ...SAME }),
  ...inFloat32([
    nhwc(
      { input: [1, 7, 6, 8], filter: [3, 3, 1, 8], bias: [8], residual: [1, 7, 6, 8] },
      { groups: 8, ...SAME, ...relu },
    ),
    nhwc(
      { input: [2, 7, 6, 5], filter: [3, 2, 1, 5], bias: [5], residual: [2, 3, 7, 5] },
      { groups: 5, ...DEPTHWISE, ...relu },
    ),
    // More rows than a strip, the padding on some sides only, and wider than strips take.
    nhwc(
      { input: [2, 33, 5, 8], filter: [3, 3, 1, 8], bias: [8], residual: [2, 32, 4, 8] },
      { groups: 8, padding: [1, 0, 0, 1], ...relu },
    ),
    nhwc({ input: [1, 9, 9, 4], filter: [3, 3, 1, 4] }, { groups: 4, padding: [0, 1, 1, 0] }),
    nhwc({ input: [1, 11, 13, 4], filter: [5, 5, 1, 4] }, { groups: 4, padding: [2, 2, 2, 2], strides: [2, 2] }),
    nhwc(
      { input: [2, 19, 5, 8], filter: [3, 3, 1, 8], bias: [8], residual: [2, 18, 5, 8] },
      { groups: 8, padding: [1, 0, 0, 2], ...relu },
    ),
    nhwc({ input: [2, 5, 5, 4], filter: [3, 3, 4, 8], bias: [8], residual: [2, 5, 5, 8] }, { ...SAME, ...relu }),
  ]),
];

const quantized: OpCase[] = [
  nhwc({ input: [1, 6, 6, 8], filter: int8(3, 3, 8, 8), scales: scales(8) }, SAME),
  nhwc({ input: [1, 5, 5, 8], filter: int8(3, 3, 4, 8), scales: scales(8) }, { groups: 2 }),
  nhwc({ input: [1, 4, 5, 8], filter: int8(1, 1, 8, 8), scales: scales(8) }),
  ...inFloat32([
    nhwc({ input: [1, 6, 6, 5], filter: int8(3, 3, 5, 7), scales: scales(7) }),
    nhwc({ input: [1, 5, 5, 6], filter: int8(3, 3, 3, 10), scales: scales(10) }, { groups: 2 }),
    nhwc({ input: [1, 6, 6, 8], filter: int8(3, 3, 1, 8), scales: scales(8) }, { groups: 8 }),
    nhwc({ input: [1, 6, 6, 7], filter: int8(3, 3, 1, 7), scales: scales(7) }, { groups: 7 }),
    nhwc({ input: [1, 5, 5, 64], filter: int8(3, 3, 64, 8), scales: scales(2, 8) }),
    nhwc({ input: [1, 6, 6, 5], filter: half(3, 3, 5, 7) }),
    nhwc({ input: [1, 6, 6, 8], filter: half(3, 3, 1, 8) }, { groups: 8 }),
  ]),
];

/** WebNN's default layouts, and the others: a pass brings them to the kernels' layout. */
const layouts: OpCase[] = inFloat32([
  test('conv2d', { input: [1, 3, 6, 7], filter: [8, 3, 3, 3] }),
  test(
    'conv2d',
    { input: [2, 4, 6, 7], filter: [8, 4, 3, 3], bias: [8], residual: [2, 8, 3, 7] },
    { ...SAME, strides: [2, 1], ...relu },
  ),
  // A thin image is padded once; then whole rows of the filter are taps, but for the dilated one.
  test('conv2d', { input: [1, 3, 7, 7], filter: constant(8, 3, 3, 3) }, SAME),
  test('conv2d', { input: [2, 3, 9, 8], filter: constant(8, 3, 3, 2) }, { padding: [2, 0, 1, 3], strides: [2, 1] }),
  test('conv2d', { input: [1, 3, 7, 9], filter: constant(8, 3, 3, 3) }, { ...SAME, dilations: [2, 2] }),
  test(
    'conv2d',
    { input: [1, 4, 5, 5], filter: constant(4, 1, 3, 3), bias: [4], residual: [1, 4, 3, 3] },
    { groups: 4, ...relu },
  ),
  test('conv2d', { input: [1, 5, 5, 4], filter: [8, 3, 3, 4] }, { inputLayout: 'nhwc', filterLayout: 'ohwi' }),
  test('conv2d', { input: [1, 4, 5, 5], filter: [4, 3, 3, 8] }, { filterLayout: 'ihwo' }),
]);

/** With a factor and a term behind the activation: each kernel, in whole vec4 and ragged. */
const affine: OpCase[] = inFloat32([
  nhwc({ input: [1, 5, 7, 4], filter: [3, 3, 4, 8], bias: [8], affine: [2] }, { ...SAME, ...relu }),
  nhwc({ input: [1, 6, 6, 3], filter: [3, 3, 3, 5], affine: [2] }),
  nhwc({ input: [1, 7, 6, 8], filter: [3, 3, 1, 8], bias: [8], affine: [2] }, { groups: 8, ...SAME, ...relu }),
  test('winogradOutput', { input: [16, 12, 4], bias: [4], affine: [2] }, { outputSizes: [4, 3], ...relu }),
]);

const FRAMED = { layout: 'nhwc', windowDimensions: [3, 3], padding: [1, 1, 1, 1], strides: [2, 2] };

const pools = (['maxPool2d', 'averagePool2d'] as const).flatMap((op) => [
  test(op, { input: [1, 6, 7, 8] }, { layout: 'nhwc', windowDimensions: [2, 2], strides: [2, 2] }),
  test(op, { input: [2, 7, 8, 5] }, FRAMED),
  test(op, { input: [1, 9, 8, 4] }, { ...FRAMED, padding: [2, 0, 1, 2], dilations: [2, 1] }),
  test(op, { input: [1, 8, 8, 4] }, { ...FRAMED, padding: [0, 0, 0, 0], roundingType: 'ceil' }),
  test(op, { input: [1, 8, 8, 4] }, { ...FRAMED, padding: [0, 0, 0, 0], outputSizes: [4, 4] }),
  test(op, { input: [2, 5, 7, 6] }, { layout: 'nhwc' }),
  test(op, { input: [2, 3, 6, 6] }, { windowDimensions: [3, 2], strides: [1, 2] }),
  test(op, { input: special(2, 8, 9, 8) }, FRAMED),
  test(op, { input: valued([1, 3, 3, 4], [-Infinity]) }, FRAMED),
]);

/** Odd and even edges, padding that differs from side to side, a tile that is all padding. */
const winograd: OpCase[] = [
  test('winogradFilter', { filter: [3, 3, 8, 4] }),
  test('winogradInput', { input: [2, 5, 6, 8] }, { padding: [1, 1, 1, 1] }),
  test('winogradInput', { input: [1, 3, 4, 4] }),
  test('winogradInput', { input: [1, 1, 2, 4] }, { padding: [4, 0, 1, 5] }),
  test('winogradOutput', { input: [16, 12, 8] }, { outputSizes: [5, 4] }),
  test(
    'winogradOutput',
    { input: [16, 12, 4], bias: [4], residual: [3, 4, 3, 4] },
    { outputSizes: [4, 3], activation: { name: 'relu' } },
  ),
];

/** Pixels beyond the border are zeros, also where other pixels are read in their place. */
const SPOILT = [Number.NaN, 1, Infinity, ...Array.from({ length: 200 }, (_, i) => i / 100), Number.NaN];
const specials: OpCase[] = inFloat32([
  nhwc({ input: valued([1, 7, 7, 4], SPOILT), filter: [3, 3, 4, 8] }, SAME),
  nhwc({ input: valued([1, 6, 6, 5], SPOILT), filter: [3, 3, 5, 7] }, SAME),
  nhwc(
    { input: valued([1, 6, 6, 8], SPOILT), filter: [3, 3, 1, 8] },
    { groups: 8, padding: [3, 3, 3, 3], dilations: [2, 2] },
  ),
  nhwc(
    { input: valued([1, 6, 6, 8], SPOILT), filter: [3, 3, 1, 8], bias: [8], residual: [1, 6, 6, 8] },
    { groups: 8, ...SAME, ...relu },
  ),
]);

export const cases: readonly OpCase[] = [
  ...windows,
  ...ragged,
  ...matrices,
  ...pointwise,
  ...grouped,
  ...quantized,
  ...layouts,
  ...affine,
  ...winograd,
  ...pools,
  ...specials,
];
