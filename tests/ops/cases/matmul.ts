import { constant, int8, type OpCase, scales, test } from '../case.ts';

const SQUARES = [1, 2, 3, 7, 8, 9, 31, 63, 64, 65];
/** M, K, N: long and thin, K ragged or not, N ragged or not, around the tiles. */
const SHAPES = [
  [1, 64, 64],
  [1, 257, 5],
  [5, 7, 3],
  [13, 17, 19],
  [4, 100, 6],
  [9, 30, 8],
  [64, 1, 1],
  [1, 1, 64],
  [65, 4, 63],
  [33, 72, 132],
] as const;

const plain = (m: number, k: number, n: number): OpCase => test('matmul', { a: [m, k], b: [k, n] });
const turned = (m: number, k: number, n: number): OpCase =>
  test('matmul', { a: [m, k], b: [n, k] }, { transposeB: true });

const sizes: OpCase[] = [
  ...SQUARES.map((size) => plain(size, size, size)),
  ...SHAPES.map(([m, k, n]) => plain(m, k, n)),
  ...SHAPES.map(([m, k, n]) => turned(m, k, n)),
  // More work than this, and a software adapter gets the shape baked into the shader.
  plain(256, 160, 256),
  turned(130, 300, 270),
];

const batches: OpCase[] = [
  test('matmul', { a: [3, 5, 8], b: [3, 8, 12] }),
  test('matmul', { a: [2, 3, 5, 7], b: [2, 3, 7, 9] }),
  test('matmul', { a: [4, 9, 16], b: [16, 20] }),
  test('matmul', { a: [9, 16], b: [4, 16, 20] }),
  test('matmul', { a: [2, 1, 5, 8], b: [1, 3, 8, 4] }),
  test('matmul', { a: [2, 3, 5, 8], b: [3, 8, 4] }),
  test('matmul', { a: [3, 2, 70, 12], b: [3, 2, 66, 12] }, { transposeB: true }),
  test('matmul', { a: [3, 5, 6], b: [1, 6, 7] }),
];

const relu = { activation: { name: 'relu' } };
const gelu = { activation: { name: 'gelu' } };
const geluTanh = { activation: { name: 'gelu_tanh' } };

const epilogues: OpCase[] = [
  test('matmul', { a: [10, 16], b: [16, 20], bias: [20] }),
  test('matmul', { a: [10, 16], b: [16, 20], bias: [20] }, geluTanh),
  test('matmul', { a: [10, 16], b: [16, 20], bias: [20] }, gelu),
  test('matmul', { a: [10, 16], b: [16, 20], residual: [10, 20] }),
  test('matmul', { a: [10, 16], b: [16, 20], bias: [20], residual: [10, 20] }, relu),
  test('matmul', { a: [10, 15], b: [15, 19], bias: [19], residual: [10, 19] }, relu),
  test('matmul', { a: [11, 15], b: [19, 15], bias: [19], residual: [11, 19] }, { transposeB: true, ...gelu }),
  test('matmul', { a: [3, 10, 8], b: [3, 8, 12], bias: [12], residual: [3, 10, 12] }),
  test('matmul', { a: [3, 10, 8], b: [8, 12], bias: [12], residual: [3, 10, 12] }),
  test('matmul', { a: [6, 8], b: [8, 8] }, { activation: { name: 'clamp', alpha: -0.5, beta: 0.75 } }),
];

const quantized: OpCase[] = [
  test('matmul', { a: [9, 16], b: int8(16, 20), scales: scales(20) }),
  test('matmul', { a: [1, 64], b: int8(64, 128), scales: scales(128) }),
  test('matmul', { a: [9, 16], b: int8(16, 19), scales: scales(19) }),
  test('matmul', { a: [9, 15], b: int8(15, 20), scales: scales(20) }),
  test('matmul', { a: [7, 13], b: int8(13, 17), scales: scales(17) }),
  test('matmul', { a: [66, 68], b: int8(68, 70), scales: scales(70), bias: [70] }),
  test('matmul', { a: [9, 16], b: int8(20, 16), scales: scales(20) }, { transposeB: true }),
  test('matmul', { a: [1, 64], b: int8(131, 64), scales: scales(131) }, { transposeB: true }),
  test('matmul', { a: [9, 15], b: int8(20, 15), scales: scales(20) }, { transposeB: true }),
  test('matmul', { a: [7, 13], b: int8(17, 13), scales: scales(17) }, { transposeB: true }),
  test('matmul', { a: [10, 16], b: int8(16, 20), scales: scales(20), bias: [20], residual: [10, 20] }, geluTanh),
  test('matmul', { a: [2, 5, 16], b: int8(16, 20), scales: scales(20) }),
];

export const matmuls: readonly OpCase[] = [
  ...sizes,
  ...batches,
  ...epilogues,
  ...quantized,
  test('matmul', { a: [5, 12], b: constant(12, 9) }),
  test('gemm', { a: [5, 7], b: [7, 6] }),
  test('gemm', { a: [7, 5], b: [6, 7], c: [6] }, { aTranspose: true, bTranspose: true, alpha: 0.5, beta: 2 }),
  test('gemm', { a: [5, 8], b: [8, 4], c: [5, 4] }, { beta: 0.25 }),
  test('gemm', { a: [5, 8], b: [8, 4], c: [5, 1] }),
  test('gemm', { a: [5, 8], b: [4, 8], c: [] }, { bTranspose: true }),
];
