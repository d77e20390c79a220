import { at, build, type RefInputs, type RefTensor } from './tensor.ts';

interface RoiAlignOptions {
  mode?: 'avg' | 'max';
  outputHeight?: number;
  outputWidth?: number;
  samplingRatio?: number;
  spatialScale?: number;
  coordinateTransformation?: string;
}

export function roiAlign({ input, rois, batchIndices }: RefInputs, options: RoiAlignOptions): RefTensor {
  const { mode = 'avg', outputHeight = 1, outputWidth = 1, samplingRatio = 0, spatialScale = 1 } = options;
  const half = (options.coordinateTransformation ?? 'half_pixel') === 'half_pixel';
  const [, channels, height, width] = input!.shape as [number, number, number, number];
  /** Coordinates of the samples of a cell along an axis. */
  const samplesOf = (low: number, high: number, cells: number, cell: number): number[] => {
    const start = low * spatialScale - (half ? 0.5 : 0);
    const size = high * spatialScale - (half ? 0.5 : 0) - start;
    const length = half ? size : Math.max(size, 1);
    const count = samplingRatio || Math.max(Math.ceil(length / cells), 0);
    return Array.from({ length: count }, (_, i) => start + (length / cells) * (cell + (i + 0.5) / count));
  };
  /** The two neighbours of a coordinate. */
  const pairOf = (place: number, extent: number): readonly (readonly [place: number, weight: number])[] => {
    if (place < -1 || place > extent) return [[0, 0]];
    const x = Math.min(Math.max(place, 0), extent - 1);
    const low = Math.floor(x);
    return [
      [low, 1 - (x - low)],
      [Math.min(low + 1, extent - 1), x - low],
    ];
  };
  return build(
    input!.dataType,
    [rois!.shape[0]!, channels, outputHeight, outputWidth],
    (index) => {
      const [r, c, row, column] = index as [number, number, number, number];
      const roi = [0, 1, 2, 3].map((i) => at(rois!, [r, i])) as [number, number, number, number];
      const image = at(batchIndices!, [r]);
      const ys = samplesOf(roi[1], roi[3], outputHeight, row);
      const xs = samplesOf(roi[0], roi[2], outputWidth, column);
      const terms = ys.flatMap((y) =>
        xs.flatMap((x) =>
          pairOf(y, height).flatMap(([h, a]) => pairOf(x, width).map(([w, b]) => a * b * at(input!, [image, c, h, w]))),
        ),
      );
      if (!terms.length) return 0;
      if (mode === 'max') return { value: Math.max(...terms), mass: Math.max(...terms.map(Math.abs)) };
      const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / (xs.length * ys.length);
      return { value: mean(terms), mass: mean(terms.map(Math.abs)) };
    },
    16,
  );
}

export const references = { roiAlign };
