import { constant, float16, half, inFloat32, int4, int8, type OpCase, scales, special, test } from '../case.ts';

/*
 * A product has a pipeline, seconds to compile, for each unit of operands and output, dense or int8, [K,N] or [N,K], each epilogue, and
 * each width of N up to 64. The cases have each of these, not every combination.
 */

const plain = (m: number, k: number, n: number): OpCase => test('matmul', { a: [m, k], b: [k, n] });
const turned = (m: number, k: number, n: number): OpCase =>
  test('matmul', { a: [m, k], b: [n, k] }, { transposeB: true });

const sizes: OpCase[] = [
  ...[1, 7, 8, 64].map((size) => plain(size, size, size)),
  ...inFloat32([2, 3, 9, 31, 63, 65].map((size) => plain(size, size, size))),
  plain(1, 257, 5),
  plain(2, 72, 48),
  plain(5, 7, 3),
  plain(33, 72, 132),
  ...inFloat32([plain(13, 17, 19), plain(64, 1, 1)]),
  // Larger than the largest workgroup tile, and no multiple of it. Then: K so long and the output so small that K is split.
  plain(130, 20, 132),
  ...inFloat32([plain(33, 260, 12), turned(20, 263, 40)]),
  turned(1, 64, 132),
  turned(33, 72, 132),
];

const relu = { activation: { name: 'relu' } };

const batches: OpCase[] = [
  test('matmul', { a: [3, 5, 8], b: [3, 8, 8] }),
  test('matmul', { a: [2, 3, 5, 7], b: [2, 3, 7, 5] }),
  test('matmul', { a: [4, 9, 16], b: [16, 8] }),
  test('matmul', { a: [9, 16], b: [4, 16, 8] }),
  test('matmul', { a: [2, 1, 5, 8], b: [1, 3, 8, 4] }),
  test('matmul', { a: [2, 3, 5, 8], b: [3, 8, 4] }),
  test('matmul', { a: [3, 5, 6], b: [1, 6, 7] }),
  test('matmul', { a: [3, 2, 70, 12], b: [3, 2, 132, 12] }, { transposeB: true }),
];

const finished = (m: number, k: number, n: number, residual: boolean, name: string): OpCase =>
  test('matmul', { a: [m, k], b: [k, n], bias: [n], ...(residual && { residual: [m, n] }) }, { activation: { name } });

/** Each with another mixture of vec4 and ragged. */
const epilogues: OpCase[] = [
  finished(10, 16, 8, false, 'gelu_tanh'),
  ...inFloat32([
    finished(10, 16, 8, true, 'relu'),
    finished(9, 30, 8, true, 'relu'),
    finished(70, 1, 8, true, 'relu'),
    test(
      'matmul',
      { a: [3, 10, 15], b: [3, 15, 7], bias: [7], residual: [3, 10, 7] },
      { activation: { name: 'gelu' } },
    ),
    test('matmul', { a: [4, 100], b: [100, 6], residual: [4, 6] }),
    test('matmul', { a: [9, 16], b: [16, 8], bias: [8], affine: [2] }, relu),
    test('matmul', { a: [1, 16], b: [16, 7], affine: [2] }),
    test('matmul', { a: [65, 4], b: [4, 7], residual: [65, 7] }),
    test('matmul', { a: [5, 8], b: [131, 8], bias: [131] }, { transposeB: true }),
    test('matmul', { a: [5, 30], b: [132, 30] }, { transposeB: true, activation: { name: 'elu', alpha: 0.5 } }),
    test('matmul', { a: [13, 17], b: [131, 17], bias: [131] }, { transposeB: true, activation: { name: 'gelu' } }),
  ]),
];

const quantized: OpCase[] = [
  test('matmul', { a: [9, 16], b: int8(16, 8), scales: scales(8) }),
  test('matmul', { a: [2, 5, 64], b: int8(64, 8), scales: scales(8) }),
  test('matmul', { a: [9, 16], b: int8(132, 16), scales: scales(132) }, { transposeB: true }),
  test('matmul', { a: [1, 64], b: int8(132, 64), scales: scales(132) }, { transposeB: true }),
  // Unit `wide`; the last step of [K,N] is a partial one.
  test('matmul', { a: [1, 68], b: int8(68, 48), scales: scales(48) }),
  test('matmul', { a: [1, 64], b: int4(64, 48), scales: scales(2, 48) }),
  ...inFloat32([
    test('matmul', { a: [16, 64], b: int8(64, 128), scales: scales(128) }),
    test('matmul', { a: [3, 64], b: int8(64, 512), scales: scales(2, 512), bias: [512] }),
    test('matmul', { a: [7, 13], b: int8(13, 7), scales: scales(7) }),
    test('matmul', { a: [9, 16], b: int8(16, 5), scales: scales(5), bias: [5] }),
    test('matmul', { a: [9, 15], b: int8(131, 15), scales: scales(131), residual: [9, 131] }, { transposeB: true }),
    // A scale for each group along K.
    test('matmul', { a: [9, 64], b: int8(64, 8), scales: scales(2, 8), bias: [8] }),
    test('matmul', { a: [1, 64], b: int8(64, 7), scales: scales(2, 7) }),
    test('matmul', { a: [9, 64], b: int8(132, 64), scales: scales(132, 2) }, { transposeB: true }),
    test('matmul', { a: [1, 64], b: int8(131, 64), scales: scales(131, 2) }, { transposeB: true }),
    test('matmul', { a: [9, 64], b: int4(64, 8), scales: scales(8) }),
    test('matmul', { a: [1, 64], b: int4(64, 12), scales: scales(2, 12) }),
    test('matmul', { a: [9, 64], b: int4(132, 64), scales: scales(132, 2) }, { transposeB: true }),
    test('matmul', { a: [16, 64], b: int4(64, 128), scales: scales(2, 128) }),
    // The bits of float16.
    test('matmul', { a: [9, 16], b: half(16, 8) }),
    test('matmul', { a: [7, 13], b: half(13, 7) }),
    test('matmul', { a: [1, 64], b: half(131, 64) }, { transposeB: true }),
  ]),
];

const swish = { activation: { name: 'swish' }, gated: true, transposeB: true };

/** One row, normalised, gated, or both. */
const rows: OpCase[] = [
  test('matmul', { a: [1, 72], b: [132, 72], norm: [72] }, { transposeB: true, epsilon: 1e-3 }),
  test('matmul', { a: [1, 64], b: [72, 64], norm: [64] }, swish),
  ...inFloat32([
    test('matmul', { a: [1, 1, 30], b: [30, 12], norm: [30], bias: [12] }, relu),
    test('matmul', { a: [1, 48], b: [48, 131], norm: [48], residual: [1, 131] }),
    test('matmul', { a: [1, 21], b: [40, 21], norm: [21], bias: [40] }, swish),
    test('matmul', { a: [1, 36], b: [24, 36] }, { ...swish, activation: { name: 'gelu_tanh' } }),
    test('matmul', { a: [1, 64], b: int8(72, 64), scales: scales(72), norm: [64], bias: [72] }, swish),
    test('matmul', { a: [1, 64], b: int4(136, 64), scales: scales(136, 2), norm: [64] }, swish),
    test('matmul', { a: [1, 64], b: half(72, 64), norm: [64] }, swish),
    test('matmul', { a: [1, 64], b: int8(68, 64), scales: scales(68), norm: [64] }, { transposeB: true }),
  ]),
];

/** NaN and infinity stay in their row, and go through the epilogue. */
const specials: OpCase[] = inFloat32([
  test('matmul', { a: special(33, 72), b: [72, 132] }),
  test('matmul', { a: special(13, 17), b: [17, 19] }),
  test('matmul', { a: special(10, 16), b: [16, 8], bias: [8], residual: [10, 8] }, relu),
  test('matmul', { a: special(9, 30), b: [30, 8], bias: [8], residual: [9, 8] }, relu),
  test('matmul', { a: special(9, 64), b: int8(64, 8), scales: scales(2, 8), bias: [8] }),
  test('matmul', { a: special(5, 30), b: [132, 30] }, { transposeB: true, activation: { name: 'elu', alpha: 0.5 } }),
]);

/** Large enough for subgroup matrices, and no multiple of them; K is longer than a round, whole or ragged. */
const matrices: OpCase[] = [
  test(
    'matmul',
    { a: float16([37, 133]), b: float16([133, 70]), bias: float16([70]), residual: float16([37, 70]) },
    { activation: { name: 'gelu' } },
  ),
  test('matmul', { a: float16([20, 150]), b: float16([39, 150]) }, { transposeB: true }),
  test('matmul', { a: float16([3, 20, 40]), b: float16([3, 40, 24]) }),
  test('matmul', { a: float16([33, 72], 'special'), b: float16([132, 72]) }, { transposeB: true }),
];

export const cases: readonly OpCase[] = [
  ...sizes,
  ...batches,
  ...epilogues,
  ...quantized,
  ...rows,
  ...specials,
  ...matrices,
  test('matmul', { a: [5, 12], b: constant(12, 7) }, {}, { float32Only: true }),
  test('gemm', { a: [5, 7], b: [7, 6] }),
  test('gemm', { a: [8, 5], b: [132, 8], c: [132] }, { aTranspose: true, bTranspose: true, alpha: 0.5, beta: 2 }),
  test('gemm', { a: [5, 8], b: [8, 4], c: [5, 4] }, { beta: 0.25 }),
  test('gemm', { a: [5, 8], b: [8, 4], c: [5, 1] }),
  test('gemm', { a: [5, 8], b: [132, 8], c: [] }, { bTranspose: true }),
];
