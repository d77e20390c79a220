import { int8, int32, type OpCase, special, test, uint32, valued } from '../case.ts';

export const cases: readonly OpCase[] = [
  test('topK', { input: [3, 7] }, { k: 3 }),
  test('topK', { input: [2, 5, 4] }, { k: 2, axis: 1 }),
  test('topK', { input: [3, 7] }, { k: 7, largest: false }),
  test('topK', { input: [2, 130] }, { k: 5 }),
  test('topK', { input: [40, 3] }, { k: 4, axis: 0, largest: false }),
  test('topK', { input: [3] }, { k: 0 }),
  // Of equals the first.
  test('topK', { input: valued([4, 40], 'few') }, { k: 12 }),
  test('topK', { input: valued([2, 6], [0, -0, 0, -1, -1, -2]) }, { k: 6 }, { note: 'zeros' }),
  test('topK', { input: special(2, 96) }, { k: 20 }),
  test('topK', { input: special(2, 96) }, { k: 96, largest: false }),
  test('topK', { input: int32([3, 7], { low: -2147483648, high: 2147483647 }) }, { k: 5 }),
  test(
    'topK',
    { input: int32([2, 40], [3, -3, 16777217, 16777216, -2147483648, 2147483647, 0]) },
    { k: 9, largest: false },
  ),
  test('topK', { input: uint32([5, 33, 2], { low: 0, high: 4294967295 }) }, { k: 4, axis: 1 }),
  test('topK', { input: uint32([3, 6], 'few') }, { k: 6, largest: false }),
  test('topK', { input: int8(3, 7) }, { k: 3 }),
  test('topK', { input: { shape: [5, 3], dataType: 'uint8' } }, { k: 2, axis: 0, largest: false }),
];
