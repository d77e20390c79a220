import { toHalf } from '../../tensor/half.ts';
import type { DataType } from '../../tensor/types.ts';
import { float32, int8, int32, type OpCase, scales, type TensorSpec, test, uint32 } from '../case.ts';

/** One of each width: 32 bits (and 16, the second type of every float case), and 8. */
const WIDTHS: readonly (DataType | undefined)[] = [undefined, 'int8'];

const bothWidths = (op: string, shape: readonly number[], options: object): OpCase[] =>
  WIDTHS.map((dataType) => test(op, { input: dataType ? { shape, dataType } : shape }, options));

const transposes: OpCase[] = [
  ...bothWidths('transpose', [5, 7], {}),
  ...bothWidths('transpose', [2, 3, 4, 5], { permutation: [0, 2, 3, 1] }),
  test('transpose', { input: [3, 1, 5] }, { permutation: [2, 0, 1] }),
  test('transpose', { input: [2, 3, 2, 3, 2, 3] }, { permutation: [5, 3, 1, 0, 2, 4] }),
  test('transpose', { input: uint32([4, 6]) }, { permutation: [1, 0] }),
  test('transpose', { input: [6] }),
];

const slices: OpCase[] = [
  ...bothWidths('slice', [6, 7], { starts: [1, 2], sizes: [4, 3] }),
  ...bothWidths('slice', [9, 8], { starts: [1, 0], sizes: [7, 8], strides: [3, 2] }),
  test('slice', { input: [2, 3, 4, 5] }, { starts: [1, 0, 2, 1], sizes: [1, 3, 1, 4] }),
  test('slice', { input: [5] }, { starts: [4], sizes: [1] }),
];

const reverses: OpCase[] = [
  ...bothWidths('reverse', [5, 7], { axes: [1] }),
  test('reverse', { input: [2, 3, 5] }),
  test('reverse', { input: [3, 4] }, { axes: [-2] }),
];

const AROUND = { beginningPadding: [1, 2], endingPadding: [2, 3] };

const pads: OpCase[] = [
  ...(['constant', 'edge', 'reflection', 'symmetric'] as const).flatMap((mode) =>
    bothWidths('pad', [4, 5], { ...AROUND, mode }),
  ),
  ...bothWidths('pad', [3, 3], { ...AROUND, value: -7 }),
  test('pad', { input: [2, 3] }, { ...AROUND, value: Number.NEGATIVE_INFINITY }),
  test('pad', { input: [1, 2, 3, 1] }, { beginningPadding: [0, 1, 0, 0], endingPadding: [0, 0, 2, 3] }),
  test('pad', { input: uint32([3]) }, { beginningPadding: [2], endingPadding: [0], value: 4 }),
];

const expands: OpCase[] = [
  ...bothWidths('expand', [3, 1], { newShape: [3, 5] }),
  test('expand', { input: [5] }, { newShape: [2, 3, 5] }),
  test('expand', { input: [] }, { newShape: [7] }),
  test('expand', { input: [2, 1, 3] }, { newShape: [4, 2, 5, 3] }),
];

const concats: OpCase[] = [
  test('concat', { input: [3, 5], other: [3, 2] }, { axis: 1 }),
  test('concat', { input: [3, 5], other: [1, 5] }, { axis: 0 }),
  test('concat', { input: [2, 3, 4], other: [2, 2, 4] }, { axis: -2 }),
  test('concat', { input: int8(3, 5), other: int8(3, 4) }, { axis: 1 }),
];

/** Forwards, from the end, and beyond both ends. */
const INDICES = [0, 3, -1, 2, -4, 9, -9];

const gathers: OpCase[] = [
  test('gather', { input: [5, 8], indices: int32([7], INDICES) }),
  test('gather', { input: [5, 7], indices: int32([7], INDICES) }),
  test('gather', { input: [5], indices: int32([2, 3], INDICES) }),
  test('gather', { input: [2, 5, 3], indices: int32([7], INDICES) }, { axis: 1 }),
  test('gather', { input: [3, 5], indices: int32([2, 2], INDICES) }, { axis: -1 }),
  test('gather', { input: [6, 4], indices: uint32([3], (run) => (run ? [5, 0, 2] : [1, 1, 4])) }),
  test('gather', { input: int8(5, 7), indices: int32([7], INDICES) }),
  test('gather', { input: int32([5, 2, 2]), indices: int32([], [3]) }),
  ...[8, 7].map((width) => test('gather', { input: int8(5, width), indices: int32([7], INDICES), scales: scales(5) })),
];

const state = (...shape: number[]): TensorSpec => ({ shape, role: 'state' });
/** Positions beyond the state are dropped. */
const positions = uint32([3], (run) => (run ? [3, 99, 1] : [0, 1, 2]));

const scatters: OpCase[] = [
  test('scatterRows', { state: state(6, 4), updates: [3, 4], positions }),
  test('scatterRows', { state: state(6, 5), updates: [3, 11], positions }, { column: 3 }),
  test('scatterRows', { state: state(5, 8), updates: [1, 3, 24], positions }, { column: 16 }),
];

const NARROW = [1, -1, 0.5, -2.75, 100, 0.001, 65504, -3, 1.5, 6.1e-5, 7];

const pairs = (bits: (x: number) => number): number[] =>
  Array.from(
    { length: Math.ceil(NARROW.length / 2) },
    (_, i) => bits(NARROW[2 * i]!) + bits(NARROW[2 * i + 1] ?? 0) * 65536,
  );

const upperHalf = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0]! >>> 16;

const quantization: OpCase[] = [
  test('quantizeScales', { input: [7, 9] }, { rows: true }),
  test('quantizeScales', { input: [3, 3, 4, 5] }, { rows: false }),
  test(
    'quantizeScales',
    { input: { shape: [2, 3], values: [0, 0, 0, 1, -2, 1] } },
    { rows: true },
    { note: 'a channel of zeros' },
  ),
  // More invocations than workgroups fit into one dimension of the grid.
  test('quantizeScales', { input: float32([65535 * 64 + 77, 1]) }, { rows: true }),
  test('quantize', { input: [6, 5], scales: scales(6) }, { rows: true }),
  test('quantize', { input: [6, 5], scales: scales(5) }, { rows: false }),
  test('quantize', { input: [3, 3, 4, 7], scales: scales(7) }, { rows: false }),
  test('widen', { input: uint32([6], pairs(toHalf)) }, { from: 'float16', newShape: [11] }),
  test('widen', { input: uint32([6], pairs(upperHalf)) }, { from: 'bfloat16', newShape: [1, 11] }),
];

export const movements: readonly OpCase[] = [
  ...transposes,
  ...slices,
  ...reverses,
  ...pads,
  ...expands,
  ...concats,
  ...gathers,
  ...scatters,
  test('reshape', { input: [3, 5] }, { newShape: [5, 3, 1] }),
  ...quantization,
];
