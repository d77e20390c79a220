import kernel from '../../shaders/grid_sample.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import interpolation from '../../shaders/lib/interpolation.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape } from '../tensor/types.ts';
import { defineOp, ELEM, FLAT, FLOATS, flatGrid, type Labelled, needOneOf, type Operand, opError } from './define.ts';

const MODES = ['linear', 'nearest', 'cubic'] as const;
const PADDING_MODES = ['zeros', 'border', 'reflection'] as const;

export interface GridSampleOptions {
  mode?: (typeof MODES)[number];
  /** What lies beyond the edges: zeros, the element at the edge, or a mirror image. */
  paddingMode?: (typeof PADDING_MODES)[number];
  /** -1 and 1 are the centres of the outermost elements; their outer edges where false. */
  alignCorners?: boolean;
}

type GridSample = (input: Operand, grid: Operand, options?: GridSampleOptions & Labelled) => Operand;

/**
 * gridSample (ONNX' GridSample): input [N, C, (D,) H, W] and grid [N, (d,) h, w, axes] give [N, C, (d,) h, w]. The grid
 * has the coordinates x, y (and z) of each pixel, from -1 to 1.
 */
export const gridSample = defineOp<GridSampleOptions, GridSample>({
  name: 'gridSample',
  operands: { input: { types: FLOATS, rank: [4, 5] }, grid: { types: FLOATS, rank: [4, 5] } },
  options: ['mode', 'paddingMode', 'alignCorners'],
  // Coordinates are rounded at the size of the image: 2^-24 of 100 pixels, between neighbours that differ by 2, is 1e-5.
  tolerance: { ulps: 16, absolute: 4e-6 },
  values: (name) => (name === 'grid' ? { low: -1, high: 1 } : undefined),
  infer({ input, grid: places }, { mode = 'linear', paddingMode = 'zeros' }) {
    needOneOf('gridSample', 'mode', mode, MODES);
    needOneOf('gridSample', 'paddingMode', paddingMode, PADDING_MODES);
    const { dataType, shape } = input!;
    const [images, ...pixels] = places!.shape;
    const axes = pixels.pop();
    if (places!.shape.length !== shape.length || images !== shape[0] || axes !== shape.length - 2)
      throw opError(
        'wrong-shape',
        'gridSample',
        `input ${formatShape(shape)} needs a grid of rank ${shape.length} with ${shape[0]} images of ${shape.length - 2} numbers a pixel, got ${formatShape(places!.shape)}`,
      );
    return { dataType, shape: [...shape.slice(0, 2), ...pixels] };
  },
  decompose({ input, grid: places }, options, { add }) {
    if (input!.dataType === places!.dataType) return undefined;
    const wide = (operand: Operand): Operand =>
      operand.dataType === 'float32' ? operand : add('cast', { input: operand }, { to: 'float32' });
    const made = add('gridSample', { input: wide(input!), grid: wide(places!) }, options);
    return add('cast', { input: made }, { to: input!.dataType });
  },
  candidates({ input, grid: places }, options, output) {
    const { mode = 'linear', paddingMode = 'zeros', alignCorners = false } = options;
    const [, channels, ...extents] = input!.shape;
    const [depth, height, width] = extents.length > 2 ? extents : [1, ...extents];
    const type = ELEM[output.dataType]!;
    const count = elementCount(output.shape);
    return [
      {
        label: `gridSample[${type},${mode}]`,
        variant: {
          kernel,
          ports: [grid, part(elem, type), part(interpolation, mode)],
          constants: { WG: u32(FLAT) },
        },
        params: {
          count,
          channels: channels!,
          pixels: elementCount(places!.shape.slice(1, -1)),
          rank: extents.length,
          depth: depth!,
          height: height!,
          width: width!,
          border: PADDING_MODES.indexOf(paddingMode),
          aligned: Number(alignCorners),
        },
        grid: flatGrid(Math.ceil(count / 4), FLAT),
      },
    ];
  },
  cost({ input }, { mode = 'linear' }, { shape }) {
    const taps = { nearest: 1, linear: 2, cubic: 4 }[mode] ** (input!.shape.length - 2);
    return { macs: 0, flops: 2 * taps * elementCount(shape) };
  },
});
