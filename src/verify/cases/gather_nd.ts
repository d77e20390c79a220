import { int8, int32, type OpCase, test, uint32 } from '../case.ts';

/** Forwards, from the end, and beyond both ends. */
const INDICES = [0, 3, -1, 2, -4, 9, -9, 1, -2, 4, -2147483648, 2147483647];

export const cases: readonly OpCase[] = [
  test('gatherND', { input: [3, 4, 5], indices: int32([6, 2], INDICES) }),
  test('gatherND', { input: [3, 4, 5], indices: int32([4, 3], INDICES) }),
  test('gatherND', { input: [5, 3, 2], indices: int32([2, 3, 1], INDICES) }),
  test('gatherND', { input: [2, 3, 4], indices: int32([3], (run) => (run ? [1, 2, -1] : [0, -2, 3])) }),
  test('gatherND', { input: [2, 3, 2, 3, 2, 3], indices: int32([2, 6], INDICES) }),
  test('gatherND', { input: [4, 5, 3], indices: uint32([4, 2], [0, 4, 3, 7, 4294967295, 2147483648, 2, 4294967294]) }),
  test('gatherND', { input: int8(3, 5, 7), indices: int32([6, 2], INDICES) }),
  test('gatherND', { input: int8(5, 3), indices: int32([7, 1], INDICES) }),
  test('gatherND', { input: uint32([6, 4]), indices: int32([3, 2], INDICES) }),
];
