import { float32, type OpCase, test, valued } from '../case.ts';

/** Beyond the edges too, by more than a whole image. */
const FAR = { low: -3.5, high: 3.5 };

export const cases: readonly OpCase[] = [
  ...(['linear', 'nearest', 'cubic'] as const).flatMap((mode) =>
    (['zeros', 'border', 'reflection'] as const).flatMap((paddingMode) => [
      test('gridSample', { input: [2, 3, 5, 7], grid: valued([2, 4, 3, 2], FAR) }, { mode, paddingMode }),
      test(
        'gridSample',
        { input: [1, 2, 4, 6], grid: valued([1, 5, 9, 2], FAR) },
        { mode, paddingMode, alignCorners: true },
      ),
    ]),
  ),
  ...(['linear', 'nearest', 'cubic'] as const).map((mode) =>
    test('gridSample', { input: [2, 2, 3, 4, 5], grid: valued([2, 2, 3, 3, 3], { low: -1.2, high: 1.2 }) }, { mode }),
  ),
  test('gridSample', { input: [1, 2, 3, 4, 3], grid: valued([1, 3, 1, 5, 3], FAR) }, { paddingMode: 'reflection' }),
  test(
    'gridSample',
    { input: [1, 3, 1, 1], grid: valued([1, 2, 3, 2], FAR) },
    { mode: 'cubic', paddingMode: 'reflection', alignCorners: true },
  ),
  test(
    'gridSample',
    { input: [1, 3, 2, 1], grid: valued([1, 2, 3, 2], FAR) },
    { mode: 'cubic', paddingMode: 'reflection' },
  ),
  test('gridSample', { input: [1, 5, 6, 4], grid: float32([1, 3, 3, 2], { low: -1, high: 1 }) }),
];
