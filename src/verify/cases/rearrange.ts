import { int8, int32, type OpCase, special, type TensorSpec, test, uint32 } from '../case.ts';

const uint8 = (...shape: number[]): TensorSpec => ({ shape, dataType: 'uint8' });

const triangles: OpCase[] = [
  test('triangular', { input: [5, 7] }),
  test('triangular', { input: [7, 5] }, { upper: false }),
  test('triangular', { input: [2, 3, 4, 5] }, { diagonal: 2 }),
  test('triangular', { input: [6, 4] }, { diagonal: -3 }),
  test('triangular', { input: [6, 4] }, { upper: false, diagonal: 1 }),
  test('triangular', { input: [3, 5] }, { upper: false, diagonal: -2 }),
  test('triangular', { input: [3, 5] }, { diagonal: 9 }, { note: 'nothing' }),
  test('triangular', { input: [3, 5] }, { diagonal: -1e12 }, { note: 'everything' }),
  test('triangular', { input: special(9, 9) }),
  test('triangular', { input: int8(3, 5, 5) }, { upper: false }),
  test('triangular', { input: uint32([3, 5]) }, { diagonal: 1 }),
];

const tiles: OpCase[] = [
  test('tile', { input: [3, 5] }, { repetitions: [2, 3] }),
  test('tile', { input: [2, 3, 4] }, { repetitions: [1, 1, 2] }),
  test('tile', { input: [2, 3, 4] }, { repetitions: [3, 1, 1] }),
  test('tile', { input: [7] }, { repetitions: [1] }),
  test('tile', { input: [] }, { repetitions: [] }),
  test('tile', { input: [2, 1, 3, 2, 1, 2, 2, 2] }, { repetitions: [2, 3, 1, 2, 2, 1, 2, 2] }),
  test('tile', { input: int8(3, 5) }, { repetitions: [2, 3] }),
  test('tile', { input: int32([2, 2]) }, { repetitions: [1, 3] }),
  test('tile', { input: [3, 2] }, { repetitions: [2, 0] }),
];

const sequences: OpCase[] = [
  test('reverseSequence', { input: [7, 4], lengths: int32([4], (run) => (run ? [7, 1, 0, 4] : [3, 6, 2, 7])) }),
  test('reverseSequence', { input: [3, 5, 2], lengths: int32([3], [5, 2, 9]) }, { batchAxis: 0, timeAxis: 1 }),
  test('reverseSequence', { input: [2, 5, 3], lengths: uint32([2], [4, 4294967295]) }, { batchAxis: 0, timeAxis: -2 }),
  test('reverseSequence', { input: [2, 3, 7], lengths: int32([3], [0, 5, 7]) }, { batchAxis: 1, timeAxis: 2 }),
  test('reverseSequence', { input: int8(5, 3, 3), lengths: int32([3], [5, 2, 3]) }),
];

/** Forwards, from the end, and beyond both ends. */
const INDICES = [0, 3, -1, 2, -4, 9, -9, 1, -2, 4, -2147483648, 2147483647];

const hots: OpCase[] = [
  test('oneHot', { indices: int32([7], INDICES), values: [2] }, { depth: 4 }),
  test('oneHot', { indices: int32([3, 4], INDICES), values: int8(2) }, { depth: 5, axis: 0 }),
  test('oneHot', { indices: int32([2, 3, 2], INDICES), values: int32([2], [-7, 2147483647]) }, { depth: 3, axis: 1 }),
  test('oneHot', { indices: int32([3, 2], INDICES), values: uint8(2) }, { depth: 4, axis: -2 }),
  test('oneHot', { indices: uint32([6], [0, 3, 2, 4294967295, 4294967292, 4]), values: [2] }, { depth: 4 }),
  test('oneHot', { indices: int32([], (run) => (run ? [-1] : [1])), values: uint32([2]) }, { depth: 3 }),
];

export const cases: readonly OpCase[] = [...triangles, ...tiles, ...sequences, ...hots];
