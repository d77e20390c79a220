import { constant, half, inFloat32, int8, type OpCase, scales, test, valued } from '../case.ts';

const relu = { activation: { name: 'relu' } };

/** Channels-last, as the kernel takes it. */
const nhwc = (inputs: OpCase['inputs'], options: object = {}): OpCase =>
  test('convTranspose2d', inputs, { inputLayout: 'nhwc', filterLayout: 'hwio', ...options });

const windows: OpCase[] = [
  nhwc({ input: [1, 3, 4, 4], filter: [3, 3, 4, 8] }),
  nhwc({ input: [2, 3, 2, 8], filter: [2, 2, 8, 4] }, { strides: [2, 2] }),
  nhwc({ input: [1, 4, 5, 4], filter: [4, 4, 4, 4] }, { strides: [2, 2], padding: [1, 1, 1, 1] }),
  nhwc({ input: [1, 3, 7, 4], filter: [3, 2, 4, 4] }, { strides: [1, 3], padding: [2, 0, 1, 2], dilations: [2, 1] }),
  nhwc({ input: [1, 3, 3, 4], filter: [2, 3, 4, 4] }, { strides: [3, 2], dilations: [2, 3], outputPadding: [2, 1] }),
  nhwc({ input: [1, 5, 4, 4], filter: [3, 3, 4, 4] }, { padding: [3, 2, 1, 4] }),
  // Strides beyond the kernel: what no tap meets has bias and residual alone.
  nhwc(
    { input: [1, 2, 5, 4], filter: [1, 1, 4, 4], bias: [4], residual: [1, 6, 23, 4] },
    { strides: [3, 5], outputSizes: [6, 23], ...relu },
  ),
];

/** Ragged on one side or both, and in groups; all with an epilogue. */
const ragged: OpCase[] = inFloat32([
  nhwc({ input: [1, 3, 3, 6], filter: [2, 3, 6, 4], bias: [4], residual: [1, 4, 5, 4] }, relu),
  nhwc({ input: [1, 3, 3, 6], filter: [2, 3, 6, 4], bias: [4], affine: [2] }, relu),
  nhwc({ input: [1, 2, 5, 4], filter: [3, 3, 4, 7], bias: [7], residual: [1, 4, 11, 7] }, { strides: [1, 2], ...relu }),
  nhwc({ input: [2, 3, 3, 3], filter: [3, 3, 3, 5], bias: [5], residual: [2, 7, 7, 5] }, { strides: [2, 2], ...relu }),
  nhwc(
    { input: [1, 3, 4, 8], filter: [3, 3, 8, 4], bias: [8], residual: [1, 7, 6, 8] },
    { groups: 2, strides: [2, 1], ...relu },
  ),
  nhwc(
    { input: [2, 3, 3, 6], filter: [2, 2, 6, 3], bias: [9], residual: [2, 6, 6, 9] },
    { groups: 3, strides: [2, 2], ...relu },
  ),
  nhwc(
    { input: [1, 3, 3, 5], filter: [3, 3, 5, 1], bias: [5], residual: [1, 3, 3, 5] },
    { groups: 5, padding: [1, 1, 1, 1], ...relu },
  ),
]);

const quantized: OpCase[] = inFloat32([
  nhwc({ input: [1, 3, 3, 8], filter: int8(3, 3, 8, 8), scales: scales(8) }, { strides: [2, 2] }),
  nhwc({ input: [1, 3, 3, 5], filter: int8(2, 2, 5, 7), scales: scales(7) }),
  nhwc({ input: [1, 3, 3, 4], filter: half(3, 3, 4, 8) }),
  nhwc({ input: [1, 3, 3, 3], filter: half(3, 3, 3, 5) }),
]);

/** As WebNN has them by default, and in the other orders: a pass brings them to the kernel. */
const layouts: OpCase[] = inFloat32([
  test('convTranspose2d', { input: [1, 4, 4, 5], filter: [4, 8, 3, 3] }),
  test(
    'convTranspose2d',
    { input: [2, 4, 3, 4], filter: constant(4, 8, 2, 2), bias: [8], residual: [2, 8, 6, 8] },
    { strides: [2, 2], ...relu },
  ),
  // Each pixel of the output comes from one of the input: that is a product.
  test(
    'convTranspose2d',
    { input: [2, 4, 3, 4], filter: constant(4, 3, 2, 3), bias: [3], affine: [2] },
    { strides: [2, 3], ...relu },
  ),
  test('convTranspose2d', { input: [1, 8, 3, 3], filter: [3, 3, 4, 8] }, { filterLayout: 'hwoi', groups: 2 }),
  test('convTranspose2d', { input: [1, 3, 3, 4], filter: [8, 3, 2, 4] }, { inputLayout: 'nhwc', filterLayout: 'ohwi' }),
]);

/** What lies beyond the image is zero, whatever the pixels are that are read instead. */
const SPOILT = [Number.NaN, 1, Infinity, ...Array.from({ length: 60 }, (_, i) => (i - 30) / 30), Number.NaN];
const specials: OpCase[] = inFloat32([
  nhwc({ input: valued([1, 4, 5, 4], SPOILT), filter: [3, 3, 4, 8] }, { strides: [2, 2] }),
  nhwc(
    { input: valued([1, 4, 4, 5], SPOILT), filter: [3, 3, 5, 3], bias: [3], residual: [1, 4, 4, 3] },
    { padding: [1, 1, 1, 1], ...relu },
  ),
]);

export const cases: readonly OpCase[] = [...windows, ...ragged, ...quantized, ...layouts, ...specials];
