import elem from '../../shaders/lib/elem.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import pooling from '../../shaders/lib/pooling.wgsl';
import store from '../../shaders/lib/store.wgsl';
import windowStruct from '../../shaders/lib/window.wgsl';
import kernel from '../../shaders/pool2d.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import {
  defineOp,
  ELEM,
  EXACT,
  FLAT,
  FLOATS,
  flatGrid,
  type Inputs,
  type Labelled,
  type Operand,
  opError,
  SUM,
} from './define.ts';
import {
  type ImageLayout,
  imageOf,
  imageShape,
  slide,
  toNchw,
  toNhwc,
  WINDOW_OPTIONS,
  type WindowOptions,
} from './window.ts';

export interface Pool2dOptions extends WindowOptions {
  /** Height and width; the whole image where absent. */
  windowDimensions?: readonly number[];
  layout?: ImageLayout;
  roundingType?: 'floor' | 'ceil';
  /** Height and width of the output: those of floor, or those of ceil. */
  outputSizes?: readonly number[];
}

function geometry(
  op: string,
  inputs: Inputs,
  { windowDimensions, layout = 'nchw', roundingType = 'floor', outputSizes, ...window }: Pool2dOptions,
) {
  const image = imageOf(inputs['input']!.shape, layout);
  const kernel = (windowDimensions ?? [image.h, image.w]) as [number, number];
  if (!outputSizes) return { image, layout, kernel, out: slide(op, image, kernel, window, roundingType) };
  const both = (['floor', 'ceil'] as const).map((rounding) => slide(op, image, kernel, window, rounding));
  const out = both.find(({ h, w }) => h === outputSizes[0] && w === outputSizes[1]);
  if (!out)
    throw opError(
      'wrong-shape',
      op,
      `outputSizes [${outputSizes.join(',')}] is neither ${both.map(({ h, w }) => `[${h},${w}]`).join(' nor ')}`,
    );
  return { image, layout, kernel, out };
}

type Pool2d = (input: Operand, options?: Pool2dOptions & Labelled) => Operand;

const pool = (name: string, kind: 'max' | 'average') =>
  defineOp<Pool2dOptions, Pool2d>({
    name,
    operands: { input: { types: FLOATS, rank: [4, 4] } },
    options: [...WINDOW_OPTIONS, 'windowDimensions', 'layout', 'roundingType', 'outputSizes'],
    tolerance: kind === 'max' ? EXACT : SUM,
    channelsLast: ({ input }, { layout = 'nchw', ...rest }, { add }) =>
      layout === 'nhwc'
        ? undefined
        : toNchw(add, add(name, { input: toNhwc(add, input!) }, { ...rest, layout: 'nhwc' })),
    infer(inputs, options) {
      const { image, layout, out } = geometry(name, inputs, options);
      const input = inputs['input']!;
      return { dataType: input.dataType, shape: imageShape({ ...image, h: out.h, w: out.w }, layout) };
    },
    candidates(inputs, options, { dataType }) {
      const { image, layout, out } = geometry(name, inputs, options);
      if (layout !== 'nhwc') return [];
      const unit = image.c % 4 === 0 ? 'vec4' : 'ragged';
      const type = ELEM[dataType]!;
      const count = image.n * out.h * out.w;
      return [
        {
          label: `${name}[${type}${unit === 'ragged' ? ',ragged' : ''}]`,
          variant: {
            kernel,
            ports: [
              grid,
              windowStruct,
              part(elem, type),
              part(operandA, unit),
              part(store, unit),
              part(functions, 'float'),
              part(pooling, kind),
            ],
            constants: { WG: u32(FLAT) },
          },
          params: { count, channels: image.c, ...out.params },
          grid: flatGrid(count * Math.ceil(image.c / 4), FLAT),
          bind: { a: 'input' },
        },
      ];
    },
    cost(inputs, options, { shape }) {
      const { kernel: size } = geometry(name, inputs, options);
      return { macs: 0, flops: elementCount(shape) * size[0] * size[1] };
    },
  });

export const maxPool2d = pool('maxPool2d', 'max');
export const averagePool2d = pool('averagePool2d', 'average');
