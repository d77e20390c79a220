import { toHalf } from '../../tensor/half.ts';
import type { DataType } from '../../tensor/types.ts';
import {
  float32,
  half,
  type InputSpec,
  int4,
  int8,
  int32,
  type OpCase,
  scales,
  special,
  type TensorSpec,
  test,
  uint32,
  valued,
} from '../case.ts';

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

const many = (lengths: readonly number[], spec: (length: number) => InputSpec): OpCase['inputs'] =>
  Object.fromEntries(lengths.map((length, i) => [`input${i}`, spec(length)]));

const concats: OpCase[] = [
  test('concat', { input0: [3, 5], input1: [3, 2] }, { axis: 1 }),
  test('concat', { input0: [3, 5], input1: [1, 5] }, { axis: 0 }),
  test('concat', { input0: [2, 3, 4], input1: [2, 2, 4] }, { axis: -2 }),
  test('concat', { input0: int8(3, 5), input1: int8(3, 4) }, { axis: 1 }),
  test('concat', { input0: [3, 5], input1: 'input0' }, { axis: 1 }),
  test(
    'concat',
    many([1, 2, 3, 4, 5, 6, 7, 8, 9], (length) => [2, length, 3]),
    { axis: 1 },
  ),
  // Elements that share words with those of their neighbours, and some that do not.
  test(
    'concat',
    many([1, 2, 5, 3, 1], (length) => int8(3, length)),
    { axis: 1 },
  ),
  test(
    'concat',
    many([3, 1, 2], (length) => int8(length, 3, 2)),
    { axis: 0 },
  ),
  test(
    'concat',
    many([4, 8, 4], (length) => int8(3, length)),
    { axis: 1 },
  ),
  // What has no elements takes no dispatch.
  test('concat', { input0: [0, 3], input1: [2, 3], input2: [1, 3] }, { axis: 0 }),
  test('concat', { input0: [0, 3], input1: [2, 3] }, { axis: 0 }),
];

const splits: OpCase[] = [
  ...bothWidths('split', [6, 7], { splits: 3 }),
  ...bothWidths('split', [6, 7], { splits: [1, 4, 2], axis: 1 }),
  test('split', { input: [2, 9, 3] }, { splits: [1, 0, 3, 5], axis: -2 }),
  test('split', { input: uint32([5]) }, { splits: [5] }),
  test('split', { input: [13, 2] }, { splits: 13 }),
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
  // Beyond 2^31 an unsigned index is as far beyond the axis as any.
  test('gather', { input: [6, 4], indices: uint32([4], [4294967295, 2147483648, 3, 7]) }),
  test('gather', { input: [2, 5, 3], indices: uint32([3], [4294967294, 1, 5]) }, { axis: 1 }),
  test('gather', { input: int8(5, 7), indices: int32([7], INDICES) }),
  test('gather', { input: int32([5, 2, 2]), indices: int32([], [3]) }),
  ...[8, 7].map((width) => test('gather', { input: int8(5, width), indices: int32([7], INDICES), scales: scales(5) })),
  test('gather', { input: int4(5, 64), indices: int32([7], INDICES), scales: scales(5, 2) }),
  ...[8, 7].map((width) =>
    test('gather', { input: half(5, width), indices: int32([7], INDICES) }, { dataType: 'float32' }),
  ),
];

const state = (...shape: number[]): TensorSpec => ({ shape, role: 'state' });
/** Positions beyond the state are dropped. */
const positions = uint32([3], (run) => (run ? [3, 99, 1] : [0, 1, 2]));

const scatters: OpCase[] = [
  test('scatterRows', { state: state(6, 4), updates: [3, 4], positions }),
  test('scatterRows', { state: state(6, 5), updates: [3, 11], positions }, { column: 3 }),
  test('scatterRows', { state: state(5, 8), updates: [1, 3, 24], positions }, { column: 16 }),
  test('scatterRows', { state: state(2, 3, 6, 4), updates: [2, 3, 29], positions }, { column: 16 }),
  test('scatterRows', { state: state(2, 2, 6, 5), updates: [2, 2, 3, 5], positions }),
];

const NARROW = [1, -1, 0.5, -2.75, 100, 0.001, 65504, -3, 1.5, 6.1e-5, 7];

/** Numbers halfway between two float16, or nearly; the smallest, the largest, and beyond. */
const TO_HALF = [
  ...[1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20, 2049, 2051, 65504, 65519, 65520, 1e30],
  ...[
    2 ** -14,
    2 ** -14 - 2 ** -25,
    2 ** -15 + 2 ** -25,
    3 * 2 ** -25,
    2 ** -24,
    2 ** -25,
    2 ** -25 + 2 ** -40,
    2 ** -26,
  ],
  ...[0, Number.POSITIVE_INFINITY, Number.NaN],
].flatMap((x) => [x, -x]);

const pairs = (bits: (x: number) => number): number[] =>
  Array.from(
    { length: Math.ceil(NARROW.length / 2) },
    (_, i) => bits(NARROW[2 * i]!) + bits(NARROW[2 * i + 1] ?? 0) * 65536,
  );

const upperHalf = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0]! >>> 16;

const uint8 = (...shape: number[]): TensorSpec => ({ shape, dataType: 'uint8' });
/** Scales of blocks that quantise numbers up to 1 to whole steps; float32, as quantizeScales makes them. */
const steps = (...shape: number[]): TensorSpec => float32(shape, { low: 0.005, high: 0.02 });
/** Halves, to both sides of zero, and what does not fit into a byte. */
const HALVES = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 127.5, -128.5, 1e4, -1e4, 0.25];

const quantization: OpCase[] = [
  test('unpackInt4', { input: { shape: [3, 8], dataType: 'int4x8', values: { low: -8, high: 7 } } }),
  test('packInt4', { input: { shape: [3, 7], dataType: 'int8', values: { low: -8, high: 7 } } }),
  test('quantizeScales', { input: [7, 9] }, { newShape: [7, 1] }),
  test('quantizeScales', { input: special(9, 40) }, { newShape: [9, 1] }),
  test('quantizeScales', { input: special(9, 7) }, { newShape: [9, 1] }),
  test('quantizeScales', { input: special(64, 5) }, { newShape: [1, 5] }),
  test('quantizeScales', { input: [3, 256] }, { newShape: [3, 1] }),
  test('quantizeScales', { input: [2, 64] }, { newShape: [2, 2], levels: 7 }),
  test('quantizeScales', { input: [3, 3, 4, 5] }, { newShape: [1, 1, 1, 5] }),
  test('quantizeScales', { input: [3, 3, 8, 5] }, { newShape: [1, 1, 2, 5] }),
  test('quantizeScales', { input: [6, 4, 3, 3] }, { newShape: [6, 2, 1, 1] }),
  test('quantizeScales', { input: [6, 8] }, { newShape: [2, 4] }, { note: 'blocks along both axes' }),
  test('quantizeScales', { input: [5, 6] }, { newShape: [1, 1] }),
  test(
    'quantizeScales',
    { input: { shape: [2, 3], values: [0, 0, 0, 1, -2, 1] } },
    { newShape: [2, 1] },
    { note: 'a row of zeros' },
  ),
  // More invocations than workgroups fit into one dimension of the grid.
  test('quantizeScales', { input: float32([65535 * 32 + 77, 1]) }, { newShape: [65535 * 32 + 77, 1] }),
  test('quantizeLinear', { input: [6, 8], scale: steps(6, 1) }),
  test('quantizeLinear', { input: [6, 5], scale: steps(6, 1) }),
  test('quantizeLinear', { input: [3, 3, 4, 7], scale: steps(7) }),
  test('quantizeLinear', { input: [6, 8], scale: steps(2, 8) }),
  test('quantizeLinear', { input: [8, 5], scale: steps(2, 5), zeroPoint: uint8(2, 5) }),
  test('quantizeLinear', { input: [2, 3, 4], scale: steps(3, 1), zeroPoint: int8(3, 1) }),
  test('quantizeLinear', { input: [6, 4], scale: steps(2, 2), zeroPoint: int8(2, 2) }),
  test('quantizeLinear', { input: [7], scale: steps(), zeroPoint: int32([], [-70000]) }),
  test('quantizeLinear', { input: valued([11], HALVES), scale: valued([1], [1]) }),
  test('quantizeLinear', { input: valued([11], HALVES), scale: valued([1], [0.5]) }, { dataType: 'uint8' }),
  test('quantizeLinear', { input: valued([11], HALVES), scale: valued([11], [0.25]) }, { dataType: 'int32' }),
  test('dequantizeLinear', { input: int8(6, 8), scale: [6, 1] }),
  test('dequantizeLinear', { input: int8(6, 5), scale: [5], zeroPoint: int8(5) }),
  test('dequantizeLinear', { input: uint8(8, 5), scale: [2, 5], zeroPoint: uint8(2, 5) }),
  test('dequantizeLinear', { input: int8(6, 4), scale: [2, 2] }),
  test('dequantizeLinear', { input: int32([7], [-70000, 5, 69999]), scale: steps(), zeroPoint: int32([], [70001]) }),
  test('widen', { input: uint32([6], pairs(toHalf)) }, { from: 'float16', newShape: [11] }),
  test('widen', { input: uint32([6], pairs(upperHalf)) }, { from: 'bfloat16', newShape: [1, 11] }),
  test('narrow', { input: float32([7, 5], { low: -9, high: 9 }) }),
  test('narrow', { input: float32([TO_HALF.length], TO_HALF) }, {}, { note: 'halfway, subnormal, too large' }),
];

export const cases: readonly OpCase[] = [
  ...transposes,
  ...slices,
  ...reverses,
  ...pads,
  ...expands,
  ...concats,
  ...splits,
  ...gathers,
  ...scatters,
  test('reshape', { input: [3, 5] }, { newShape: [5, 3, 1] }),
  ...quantization,
];
