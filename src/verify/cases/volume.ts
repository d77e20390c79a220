import { constant, inFloat32, type OpCase, test } from '../case.ts';

const SAME = { padding: [1, 1, 1, 1, 1, 1] };
const LAST = { inputLayout: 'ndhwc', filterLayout: 'dhwio' };

const convolutions: OpCase[] = [
  test('conv3d', { input: [1, 4, 4, 5, 6], filter: [8, 4, 3, 3, 3] }, SAME),
  test('conv3d', { input: [2, 3, 5, 4, 7], filter: constant(5, 3, 2, 3, 1), bias: [5] }, { strides: [2, 1, 3] }),
  ...inFloat32([
    test(
      'conv3d',
      { input: [2, 6, 5, 6, 4], filter: [4, 3, 3, 2, 3], bias: [4] },
      { groups: 2, padding: [2, 1, 0, 1, 1, 2], dilations: [2, 1, 1] },
    ),
    test('conv3d', { input: [1, 3, 4, 5, 4], filter: [2, 3, 3, 4, 8] }, { ...LAST, strides: [1, 2, 2], ...SAME }),
    test('conv3d', { input: [2, 4, 3, 3, 3], filter: [4, 1, 3, 3, 3] }, { groups: 4, ...SAME }),
    test('conv3d', { input: [1, 3, 5, 3, 4], filter: [4, 3, 1, 1, 1], bias: [4] }, { strides: [3, 1, 1] }),
    test('conv3d', { input: [1, 4, 3, 4, 4], filter: [4, 4, 1, 3, 3] }),
  ]),
];

const FRAMED = { windowDimensions: [2, 3, 2], padding: [1, 0, 1, 1, 0, 1], strides: [1, 2, 2] };

const pools = (['maxPool3d', 'averagePool3d'] as const).flatMap((op) => [
  test(op, { input: [2, 3, 4, 6, 5] }, { windowDimensions: [2, 2, 2], strides: [2, 2, 2] }),
  test(op, { input: [1, 4, 5, 6, 7] }, FRAMED),
  test(op, { input: [2, 5, 6, 7, 3] }, { ...FRAMED, layout: 'ndhwc', dilations: [2, 1, 2] }),
  test(op, { input: [1, 2, 6, 6, 7] }, { windowDimensions: [3, 3, 2], strides: [2, 2, 2], roundingType: 'ceil' }),
  test(op, { input: [1, 2, 6, 6, 6] }, { windowDimensions: [3, 3, 3], strides: [2, 2, 2], outputSizes: [3, 3, 3] }),
  test(op, { input: [2, 3, 3, 4, 5] }),
]);

export const cases: readonly OpCase[] = [...convolutions, ...pools];
