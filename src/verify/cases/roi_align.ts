import { int32, type OpCase, test, uint32, valued } from '../case.ts';

/** Regions inside the image, beyond it, smaller than a pixel, of whole pixels, and inside out. */
const ROIS = [1.25, 0.5, 6.5, 4.75, -3, -2, 4.5, 11, 2.25, 2.5, 2.5, 2.75, 0, 1, 6, 4, 5.5, 4.25, 2, 1.5];
const regions = { rois: valued([5, 4], ROIS), batchIndices: int32([5], [0, 1, 1, 0, 1]) };

export const cases: readonly OpCase[] = (['avg', 'max'] as const).flatMap((mode) => [
  test('roiAlign', { input: [2, 3, 6, 7], ...regions }, { mode, outputHeight: 3, outputWidth: 2 }),
  test('roiAlign', { input: [2, 2, 9, 11], ...regions }, { mode, outputHeight: 2, outputWidth: 3, spatialScale: 1.5 }),
  test('roiAlign', { input: [2, 3, 6, 7], ...regions }, { mode, outputHeight: 3, outputWidth: 3, samplingRatio: 2 }),
  test(
    'roiAlign',
    { input: [2, 3, 6, 7], ...regions },
    { mode, outputHeight: 3, outputWidth: 5, coordinateTransformation: 'output_half_pixel' },
  ),
  test(
    'roiAlign',
    { input: [1, 1, 5, 5], rois: valued([1, 4], [0, 0, 5, 5]), batchIndices: uint32([1], [0]) },
    { mode },
  ),
]);
