import { type OpCase, special, test, valued } from '../case.ts';

const FRAMED = { layout: 'nhwc', windowDimensions: [3, 3], padding: [1, 1, 1, 1], strides: [2, 2] };

const around = (op: string, options: object = {}): OpCase[] => [
  test(op, { input: [2, 7, 8, 5] }, { ...FRAMED, ...options }),
  test(op, { input: [1, 9, 8, 4] }, { ...FRAMED, padding: [2, 0, 1, 2], dilations: [2, 1], ...options }),
  test(op, { input: [1, 8, 8, 4] }, { ...FRAMED, padding: [0, 0, 1, 0], roundingType: 'ceil', ...options }),
  test(op, { input: [2, 3, 6, 6] }, { windowDimensions: [3, 2], strides: [1, 2], padding: [0, 1, 1, 0], ...options }),
];

export const cases: readonly OpCase[] = [
  ...around('averagePool2d', { includePadding: true }),
  test('averagePool2d', { input: [1, 3, 4, 5] }, { padding: [1, 1, 0, 2], includePadding: true }),
  ...around('l2Pool2d'),
  test('l2Pool2d', { input: [2, 3, 5, 7] }),
  test('l2Pool2d', { input: special(2, 8, 9, 8) }, FRAMED),
  ...around('lpPool2d', { p: 3 }),
  test('lpPool2d', { input: [2, 5, 7, 4] }, { layout: 'nhwc' }),
  test('lpPool2d', { input: special(2, 8, 9, 8) }, { ...FRAMED, p: 1 }),
  test('lpPool2d', { input: valued([1, 3, 3, 4], [0, 0, -2]) }, { ...FRAMED, p: 4 }),
  ...around('maxPool2dWithIndices'),
  test('maxPool2dWithIndices', { input: valued([2, 3, 9, 7], 'few') }, { windowDimensions: [3, 4] }),
  test('maxPool2dWithIndices', { input: special(2, 3, 19, 8) }, { windowDimensions: [4, 3], strides: [2, 3] }),
  test('maxPool2dWithIndices', { input: valued([1, 3, 3, 4], [-Infinity]) }, FRAMED),
];
