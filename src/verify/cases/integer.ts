import { float32, int8, type OpCase, scales, type TensorSpec, test, type Values } from '../case.ts';

const bytes = (shape: readonly number[], values: Values): TensorSpec => ({ shape, dataType: 'int8', values });
const uint8 = (...shape: number[]): TensorSpec => ({ shape, dataType: 'uint8', values: { low: 0, high: 255 } });
const factor = float32([1], [0.01]);
const relu = { activation: { name: 'relu' } };

/** int8 by int8 to int32: sums are exact. */
const sums: OpCase[] = [
  test('matmulInteger', { a: int8(1, 64), b: int8(132, 64) }),
  test('matmulInteger', { a: int8(3, 37), b: int8(7, 37) }),
  test('matmulInteger', { a: int8(20, 48), b: int8(36, 48) }),
  test('matmulInteger', { a: int8(9, 21), b: int8(10, 21) }),
  test('matmulInteger', { a: int8(33, 64), b: int8(68, 64) }),
  // Sums beyond 2^24, which float32 would not hold, of extremes of every sign.
  test('matmulInteger', { a: int8(2, 4608), b: int8(8, 4608) }),
  ...[
    [127, 127],
    [-128, 127],
    [-128, -128],
  ].map(([x, y]) =>
    test('matmulInteger', { a: bytes([5, 4608], [x!]), b: bytes([8, 4608], [y!]) }, {}, { note: `${x} times ${y}` }),
  ),
  test('conv2dInteger', { input: int8(1, 6, 6, 16), filter: int8(8, 3, 3, 16) }, { padding: [1, 1, 1, 1] }),
  test('conv2dInteger', { input: int8(2, 6, 5, 16), filter: int8(8, 3, 2, 16) }, { strides: [2, 1] }),
  test('conv2dInteger', { input: int8(1, 5, 6, 6), filter: int8(10, 3, 3, 3) }, { groups: 2, padding: [1, 0, 2, 1] }),
  // uint8 counts less 128, on either side; matrices of their own for each of a.
  test('matmulInteger', { a: uint8(3, 48), b: int8(20, 48) }),
  test('matmulInteger', { a: uint8(5, 21), b: uint8(10, 21) }),
  test('matmulInteger', { a: uint8(2, 3, 5, 16), b: uint8(2, 3, 12, 16) }),
  test('matmulInteger', { a: int8(3, 5, 7), b: uint8(3, 6, 7) }),
  test('conv2dInteger', { input: uint8(1, 6, 6, 16), filter: int8(8, 3, 3, 16) }, { padding: [1, 1, 1, 1] }),
  test('conv2dInteger', { input: uint8(1, 5, 6, 3), filter: uint8(5, 3, 3, 3) }, { padding: [1, 0, 2, 1] }),
];

const products: OpCase[] = [
  test('matmulInteger', { a: int8(1, 64), b: int8(132, 64), aScale: factor, scales: scales(132) }),
  test('matmulInteger', { a: int8(20, 48), b: int8(36, 48), aScale: scales(20), scales: scales(36) }),
  test(
    'matmulInteger',
    {
      a: int8(2, 9, 21),
      b: int8(10, 21),
      aScale: scales(18),
      scales: scales(10),
      bias: float32([10]),
      residual: float32([2, 9, 10]),
    },
    relu,
  ),
  // Enough for subgroup matrices.
  test(
    'matmulInteger',
    {
      a: int8(20, 133),
      b: int8(70, 133),
      aScale: scales(20),
      scales: scales(70),
      bias: float32([70]),
      residual: float32([20, 70]),
    },
    relu,
  ),
  test(
    'conv2dInteger',
    { input: int8(1, 6, 7, 64), filter: int8(24, 3, 3, 64), inputScale: factor, scales: scales(24) },
    { padding: [1, 1, 1, 1], strides: [1, 2] },
  ),
  test(
    'conv2dInteger',
    {
      input: int8(1, 6, 6, 16),
      filter: int8(8, 3, 3, 16),
      inputScale: factor,
      scales: scales(8),
      bias: float32([8]),
      residual: float32([1, 6, 6, 8]),
    },
    { padding: [1, 1, 1, 1], ...relu },
  ),
  test('conv2dInteger', { input: int8(1, 5, 5, 32), filter: int8(8, 1, 1, 32), inputScale: factor, scales: scales(8) }),
  test(
    'conv2dInteger',
    { input: int8(1, 5, 5, 6), filter: int8(6, 3, 3, 1), inputScale: factor, scales: scales(6) },
    { groups: 6, dilations: [2, 1] },
  ),
];

export const cases: readonly OpCase[] = [...sums, ...products];
