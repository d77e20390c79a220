import { constant, int8, type OpCase, scales, test } from '../case.ts';

const NHWC = { inputLayout: 'nhwc', filterLayout: 'hwio' };
const relu = { activation: { name: 'relu' } };

/** Channels-last, as the kernels take it. */
const nhwc = (inputs: OpCase['inputs'], options: object = {}): OpCase =>
  test('conv2d', inputs, { ...NHWC, ...options });

const windows: OpCase[] = [
  nhwc({ input: [1, 5, 7, 4], filter: [3, 3, 4, 8] }),
  nhwc({ input: [2, 6, 5, 8], filter: [3, 3, 8, 4] }, { padding: [1, 1, 1, 1] }),
  nhwc({ input: [1, 9, 8, 4], filter: [3, 3, 4, 4] }, { padding: [1, 1, 1, 1], strides: [2, 2] }),
  nhwc({ input: [1, 9, 11, 4], filter: [3, 2, 4, 4] }, { padding: [0, 2, 3, 1], strides: [2, 3] }),
  nhwc({ input: [1, 9, 11, 4], filter: [3, 3, 4, 4] }, { padding: [2, 1, 0, 3], dilations: [2, 3] }),
  nhwc({ input: [1, 16, 16, 4], filter: [7, 7, 4, 8] }, { padding: [3, 3, 3, 3], strides: [2, 2] }),
  nhwc({ input: [1, 1, 1, 4], filter: [3, 3, 4, 4] }, { padding: [1, 1, 1, 1] }),
  nhwc({ input: [1, 4, 70, 4], filter: [1, 3, 4, 72] }, { padding: [0, 0, 1, 1] }),
  // More work than this, and a software adapter gets the shape baked into the shader.
  nhwc({ input: [1, 20, 20, 48], filter: [3, 3, 48, 64] }, { padding: [1, 1, 1, 1] }),
];

const channels: OpCase[] = [
  nhwc({ input: [1, 6, 6, 3], filter: [3, 3, 3, 8] }, { padding: [1, 1, 1, 1] }),
  nhwc({ input: [1, 6, 6, 3], filter: [3, 3, 3, 5] }),
  nhwc({ input: [2, 6, 6, 5], filter: [3, 3, 5, 4] }),
  nhwc({ input: [1, 6, 6, 4], filter: [3, 3, 4, 5] }, { padding: [1, 1, 1, 1] }),
  nhwc({ input: [1, 6, 6, 1], filter: [3, 3, 1, 3] }, { strides: [2, 1] }),
];

const pointwise: OpCase[] = [
  nhwc({ input: [1, 5, 6, 8], filter: [1, 1, 8, 12] }),
  nhwc({ input: [2, 5, 5, 7], filter: [1, 1, 7, 9], bias: [9] }),
  nhwc({ input: [1, 6, 6, 8], filter: [1, 1, 8, 4] }, { strides: [2, 2] }),
  nhwc({ input: [1, 3, 3, 4], filter: [1, 1, 4, 4] }, { padding: [1, 0, 0, 1] }),
];

const grouped: OpCase[] = [
  nhwc({ input: [1, 5, 5, 8], filter: [3, 3, 4, 8] }, { groups: 2, padding: [1, 1, 1, 1] }),
  nhwc({ input: [2, 5, 5, 6], filter: [3, 3, 3, 10] }, { groups: 2 }),
  nhwc({ input: [1, 4, 4, 12], filter: [1, 1, 4, 12], bias: [12] }, { groups: 3 }),
  nhwc({ input: [1, 5, 5, 6], filter: [3, 3, 2, 9], bias: [9], residual: [1, 3, 3, 9] }, { groups: 3, ...relu }),
  nhwc({ input: [1, 7, 6, 8], filter: [3, 3, 1, 8] }, { groups: 8, padding: [1, 1, 1, 1] }),
  nhwc(
    { input: [2, 7, 6, 5], filter: [3, 2, 1, 5] },
    { groups: 5, padding: [1, 0, 2, 1], strides: [2, 1], dilations: [1, 2] },
  ),
  nhwc(
    { input: [1, 6, 6, 4], filter: [3, 3, 1, 4], bias: [4], residual: [1, 6, 6, 4] },
    { groups: 4, padding: [1, 1, 1, 1], ...relu },
  ),
  // More than one output channel for each input channel.
  nhwc({ input: [1, 5, 5, 4], filter: [3, 3, 1, 8] }, { groups: 4 }),
];

const epilogues: OpCase[] = [
  nhwc({ input: [1, 5, 5, 4], filter: [3, 3, 4, 8], bias: [8] }, relu),
  nhwc(
    { input: [2, 5, 5, 4], filter: [3, 3, 4, 8], bias: [8], residual: [2, 5, 5, 8] },
    { padding: [1, 1, 1, 1], ...relu },
  ),
  nhwc(
    { input: [1, 5, 5, 3], filter: [3, 3, 3, 5], bias: [5], residual: [1, 3, 3, 5] },
    { activation: { name: 'leakyRelu', alpha: 0.1 } },
  ),
];

const quantized: OpCase[] = [
  nhwc(
    { input: [1, 6, 6, 8], filter: int8(3, 3, 8, 12), scales: scales(12), bias: [12] },
    { padding: [1, 1, 1, 1], ...relu },
  ),
  nhwc({ input: [2, 6, 6, 3], filter: int8(3, 3, 3, 8), scales: scales(8) }, { strides: [2, 2] }),
  nhwc({ input: [1, 6, 6, 5], filter: int8(3, 3, 5, 7), scales: scales(7) }),
  nhwc({ input: [1, 4, 5, 8], filter: int8(1, 1, 8, 12), scales: scales(12) }),
  nhwc({ input: [1, 5, 5, 8], filter: int8(3, 3, 4, 8), scales: scales(8) }, { groups: 2 }),
  nhwc({ input: [1, 5, 5, 6], filter: int8(3, 3, 3, 10), scales: scales(10) }, { groups: 2 }),
  nhwc({ input: [1, 6, 6, 8], filter: int8(3, 3, 1, 8), scales: scales(8) }, { groups: 8 }),
  nhwc({ input: [1, 6, 6, 7], filter: int8(3, 3, 1, 7), scales: scales(7), bias: [7] }, { groups: 7 }),
];

/** As WebNN has them by default, and in the other orders: a pass brings them to the kernels. */
const layouts: OpCase[] = [
  test('conv2d', { input: [1, 3, 6, 7], filter: [8, 3, 3, 3] }),
  test('conv2d', { input: [2, 4, 6, 7], filter: [5, 4, 3, 3], bias: [5] }, { padding: [1, 1, 1, 1], strides: [2, 1] }),
  test('conv2d', { input: [1, 3, 7, 7], filter: constant(8, 3, 3, 3) }, { padding: [1, 1, 1, 1] }),
  test('conv2d', { input: [1, 6, 5, 5], filter: constant(6, 1, 3, 3) }, { groups: 6 }),
  test('conv2d', { input: [1, 5, 5, 4], filter: [6, 3, 3, 4] }, { inputLayout: 'nhwc', filterLayout: 'ohwi' }),
  test('conv2d', { input: [1, 4, 5, 5], filter: [4, 3, 3, 6] }, { filterLayout: 'ihwo' }),
];

const FRAMED = { layout: 'nhwc', windowDimensions: [3, 3], padding: [1, 1, 1, 1], strides: [2, 2] };

const pools = (['maxPool2d', 'averagePool2d'] as const).flatMap((op) => [
  test(op, { input: [1, 6, 7, 8] }, { layout: 'nhwc', windowDimensions: [2, 2], strides: [2, 2] }),
  test(op, { input: [2, 7, 8, 5] }, FRAMED),
  test(op, { input: [1, 9, 8, 4] }, { ...FRAMED, padding: [2, 0, 1, 2], dilations: [2, 1] }),
  test(op, { input: [1, 8, 8, 4] }, { ...FRAMED, padding: [0, 0, 0, 0], roundingType: 'ceil' }),
  test(op, { input: [1, 8, 8, 4] }, { ...FRAMED, padding: [0, 0, 0, 0], outputSizes: [4, 4] }),
  test(op, { input: [2, 5, 7, 6] }, { layout: 'nhwc' }),
  test(op, { input: [2, 3, 6, 6] }, { windowDimensions: [3, 2], strides: [1, 2] }),
]);

export const convolutions: readonly OpCase[] = [
  ...windows,
  ...channels,
  ...pointwise,
  ...grouped,
  ...epilogues,
  ...quantized,
  ...layouts,
  ...pools,
];
