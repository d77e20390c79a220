import { constant, int8, int32, type OpCase, type TensorSpec, test, uint32, valued } from '../case.ts';

const uint8 = (...shape: number[]): TensorSpec => ({ shape, dataType: 'uint8' });

/** Tables for axes 1 and 2 (of 3 and 5 elements), and for axis 2 alone; entry 0 is that of an axis that is not there. */
const PLACES = [0, 2, 0, 1, 1, 4, 4, 3, 0, 1, 2];
const both = { sizes: [2, 4, 3, 3], starts: [-1, 1, 5, -1], taps: [1, 1, 2, 1] };
const placed = (rank: number): TensorSpec => ({
  shape: [...new Array<number>(rank - 1).fill(1), PLACES.length],
  dataType: 'int32',
  values: PLACES,
});
const weighed: TensorSpec = {
  shape: [1, 1, 1, PLACES.length],
  dataType: 'float32',
  values: [1, 1, 1, 1, 1, 0.25, 0.75, -0.5, 1.5, 0.125, 0.875],
};

const tables: OpCase[] = [
  test('resample', { input: [2, 3, 5, 3], places: placed(4), weights: weighed }, both),
  test('resample', { input: [2, 3, 5, 4], places: placed(4), weights: weighed }, { ...both, sizes: [2, 4, 3, 4] }),
  test('resample', { input: [2, 3, 5, 3], places: placed(4) }, { ...both, taps: [1, 1, 1, 1] }),
  test(
    'resample',
    { input: int8(2, 3, 5, 8), places: placed(4) },
    { ...both, sizes: [2, 4, 3, 8], taps: [1, 1, 1, 1] },
  ),
  test('resample', { input: uint32([7, 5]), places: placed(2) }, { sizes: [7, 3], starts: [-1, 5], taps: [1, 1] }),
];

const MODES = ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel', 'align_corners', 'asymmetric'] as const;
const ROI = [0.25, -0.2, 0.75, 1.3];

const nearest: OpCase[] = [
  ...MODES.flatMap((coordinateTransformation) => [
    test('resize', { input: [2, 3, 5, 7] }, { axes: [2, 3], sizes: [9, 4], coordinateTransformation }),
    test('resize', { input: [1, 2, 6, 9] }, { axes: [2, 3], scales: [0.55, 1.7], coordinateTransformation }),
  ]),
  ...['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].map((nearestMode) =>
    test('resize', { input: [2, 6, 4, 4] }, { axes: [1, 2], sizes: [3, 10], nearestMode }),
  ),
  test('resize', { input: [3, 5, 7] }, { scales: [2, 1, 3] }),
  test('resize', { input: [5] }, { sizes: [13] }),
  test('resize', { input: [2, 3, 4, 5, 3] }, { sizes: [2, 3, 7, 9, 4] }),
  test('resize', { input: [2, 3, 2, 5] }, { sizes: [3, 4, 3, 3] }),
  test('resize', { input: [2, 3, 4] }, { sizes: [2, 3, 4] }),
  test('resize', { input: int8(1, 3, 5, 7) }, { axes: [-1, -2], sizes: [11, 3] }),
  test('resize', { input: uint8(1, 3, 5, 8) }, { axes: [1, 2], sizes: [5, 3] }),
  test('resize', { input: int32([3, 4, 5]) }, { axes: [1], sizes: [7] }),
  test('resize', { input: uint32([3, 4, 4]) }, { axes: [0, 1], sizes: [2, 7] }),
  test(
    'resize',
    { input: [1, 3, 5, 6] },
    { axes: [2, 3], sizes: [6, 5], roi: ROI, coordinateTransformation: 'tf_crop_and_resize', extrapolationValue: -2.5 },
  ),
  test(
    'resize',
    { input: int8(1, 5, 6, 3) },
    { axes: [1, 2], sizes: [3, 7], roi: ROI, coordinateTransformation: 'tf_crop_and_resize', extrapolationValue: -3 },
  ),
];

/** Axes that are resampled one by one are rounded in between. */
const STEPS = { tolerance: { ulps: 8, roundings: 3 } };

const interpolated: OpCase[] = (['linear', 'cubic'] as const).flatMap((mode) => [
  ...MODES.map((coordinateTransformation) =>
    test('resize', { input: [2, 3, 5, 7] }, { mode, axes: [2, 3], scales: [1.7, 0.6], coordinateTransformation }),
  ),
  test('resize', { input: [1, 5, 6, 4] }, { mode, axes: [1, 2], sizes: [10, 3] }),
  test('resize', { input: [1, 5, 6, 3] }, { mode, axes: [1, 2], sizes: [7, 9], excludeOutside: true }),
  test('resize', { input: [7, 3] }, { mode, axes: [0], sizes: [1], coordinateTransformation: 'pytorch_half_pixel' }),
  test('resize', { input: [4] }, { mode, sizes: [9] }),
  test('resize', { input: [1, 2, 13, 11] }, { mode, axes: [2, 3], sizes: [5, 4], antialias: true }, STEPS),
  test('resize', { input: [1, 9, 7, 4] }, { mode, axes: [1, 2], scales: [0.6, 1.5], antialias: true }, STEPS),
  test(
    'resize',
    { input: [1, 12, 7, 3] },
    { mode, axes: [1, 2], scales: [0.3, 0.6], antialias: true, excludeOutside: true },
    STEPS,
  ),
  test('resize', { input: [1, 2, 3, 4, 5] }, { mode, axes: [2, 3, 4], sizes: [5, 3, 8] }, STEPS),
  test(
    'resize',
    { input: [1, 3, 5, 6] },
    {
      mode,
      axes: [2, 3],
      sizes: [6, 5],
      roi: ROI,
      coordinateTransformation: 'tf_crop_and_resize',
      extrapolationValue: 7,
    },
  ),
  test(
    'resize',
    { input: [1, 3, 5, 6] },
    { mode, axes: [2, 3], sizes: [1, 9], roi: ROI, coordinateTransformation: 'tf_crop_and_resize' },
  ),
  test('resize', { input: int8(1, 2, 5, 7) }, { mode, axes: [2, 3], sizes: [7, 5] }),
  test('resize', { input: uint8(1, 4, 5, 3) }, { mode, axes: [1, 2], sizes: [7, 9] }),
  test('resize', { input: int32([3, 5]) }, { mode, sizes: [5, 4] }),
]);

const images: OpCase[] = (['nearest-neighbor', 'linear'] as const).flatMap((mode) => [
  test('resample2d', { input: [2, 3, 4, 5] }, { mode, scales: [2, 3] }),
  test('resample2d', { input: [1, 7, 6, 4] }, { mode, sizes: [3, 9], axes: [1, 2] }),
  test('resample2d', { input: [3, 5, 2, 3] }, { mode, scales: [1.5, 0.7], axes: [1, 0] }),
  test('resample2d', { input: int8(1, 2, 4, 6) }, { mode, sizes: [8, 3] }),
]);

export const cases: readonly OpCase[] = [
  ...tables,
  ...nearest,
  test('resize', { input: constant(1, 2, 3, 5) }, { axes: [2, 3], sizes: [4, 4] }),
  test('resize', { input: valued([6], [3, -1, 2, Infinity, 5, -2]) }, { sizes: [6], mode: 'linear' }),
  test('resize', { input: [2, 4, 2] }, { axes: [0], sizes: [5], mode: 'cubic', cubicCoefficient: -0.5 }),
  ...interpolated,
  test('resample2d', { input: [1, 2, 3, 4] }),
  ...images,
];
