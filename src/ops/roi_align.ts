import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import kernel from '../../shaders/roi_align.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import {
  defineOp,
  ELEM,
  FLAT,
  FLOATS,
  flatGrid,
  INDICES,
  type Labelled,
  needOneOf,
  type Operand,
  opError,
} from './define.ts';
import { needIntegers } from './window.ts';

const MODES = ['avg', 'max'] as const;
const TRANSFORMATIONS = ['half_pixel', 'output_half_pixel'] as const;

export interface RoiAlignOptions {
  mode?: (typeof MODES)[number];
  /** Cells of a region: 1 where absent. */
  outputHeight?: number;
  outputWidth?: number;
  /** Samples a side of a cell; 0, or absent: one for each pixel that the cell is long, rounded up. */
  samplingRatio?: number;
  /** From the coordinates of the regions to pixels; 1 where absent. */
  spatialScale?: number;
  /** `half_pixel`: centres of pixels are at halves. `output_half_pixel`: at integers, and a region is a pixel at the least. */
  coordinateTransformation?: (typeof TRANSFORMATIONS)[number];
}

type RoiAlign = (input: Operand, rois: Operand, batchIndices: Operand, options?: RoiAlignOptions & Labelled) => Operand;

/**
 * roiAlign (ONNX' RoiAlign): input [N, C, H, W], rois [R, 4] as x1, y1, x2, y2, and the image of each (batchIndices [R])
 * give [R, C, outputHeight, outputWidth].
 */
export const roiAlign = defineOp<RoiAlignOptions, RoiAlign>({
  name: 'roiAlign',
  operands: {
    input: { types: FLOATS, rank: [4, 4] },
    rois: { as: 'input', rank: [2, 2] },
    batchIndices: { types: INDICES, rank: [1, 1] },
  },
  options: ['mode', 'outputHeight', 'outputWidth', 'samplingRatio', 'spatialScale', 'coordinateTransformation'],
  // Coordinates are rounded at the size of the image.
  tolerance: { ulps: 16, absolute: 4e-6 },
  values(name, { input }) {
    if (name === 'batchIndices') return { low: 0, high: input!.shape[0]! - 1 };
    return name === 'rois' ? { low: 0, high: Math.min(input!.shape[2]!, input!.shape[3]!) } : undefined;
  },
  infer({ input, rois, batchIndices }, options) {
    const { mode = 'avg', outputHeight = 1, outputWidth = 1, samplingRatio = 0, spatialScale = 1 } = options;
    needOneOf('roiAlign', 'mode', mode, MODES);
    needOneOf(
      'roiAlign',
      'coordinateTransformation',
      options.coordinateTransformation ?? 'half_pixel',
      TRANSFORMATIONS,
    );
    needIntegers('roiAlign', 'outputHeight and outputWidth', [outputHeight, outputWidth], 2, 1);
    needIntegers('roiAlign', 'samplingRatio', [samplingRatio], 1, 0);
    if (!(spatialScale > 0))
      throw opError('invalid-argument', 'roiAlign', `spatialScale is ${spatialScale}, expected more than 0`);
    const { dataType, shape } = input!;
    const regions = rois!.shape[0]!;
    if (rois!.shape[1] !== 4 || batchIndices!.shape[0] !== regions)
      throw opError(
        'wrong-shape',
        'roiAlign',
        `rois ${formatShape(rois!.shape)} and batchIndices ${formatShape(batchIndices!.shape)}, expected [R,4] and [R]`,
      );
    return { dataType, shape: [regions, shape[1]!, outputHeight, outputWidth] };
  },
  candidates({ input }, options, { dataType, shape }) {
    const { mode = 'avg', samplingRatio = 0, spatialScale = 1, coordinateTransformation = 'half_pixel' } = options;
    const [images, channels, height, width] = input!.shape as [number, number, number, number];
    const type = ELEM[dataType]!;
    const count = elementCount(shape);
    const half = coordinateTransformation === 'half_pixel';
    return [
      {
        label: `roiAlign[${type},${mode}]`,
        variant: {
          kernel,
          ports: [grid, part(elem, type)],
          constants: { WG: u32(FLAT), MAX: String(mode === 'max') },
        },
        params: {
          count,
          images,
          channels,
          height,
          width,
          out_height: shape[2]!,
          out_width: shape[3]!,
          sampling: samplingRatio,
          scale: spatialScale,
          offset: half ? 0.5 : 0,
          least: half ? -3.4e38 : 1,
        },
        grid: flatGrid(Math.ceil(count / 4), FLAT),
      },
    ];
  },
  cost: (_inputs, { samplingRatio = 0 }, { shape }) => ({
    macs: 0,
    flops: 8 * elementCount(shape) * Math.max(samplingRatio, 1) ** 2,
  }),
});
