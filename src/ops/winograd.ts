import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import store from '../../shaders/lib/store.wgsl';
import windowStruct from '../../shaders/lib/window.wgsl';
import filterKernel from '../../shaders/winograd_filter.wgsl';
import inputKernel from '../../shaders/winograd_input.wgsl';
import outputKernel from '../../shaders/winograd_output.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape, type TensorDescriptor } from '../tensor/types.ts';
import {
  type Candidate,
  defineOp,
  ELEM,
  FLAT,
  flatGrid,
  type Inputs,
  need,
  needFloat,
  type Op,
  opError,
} from './define.ts';
import type { Activation } from './elementwise.ts';
import { epilogueName, epiloguePorts } from './gemm.ts';
import { checkEpilogue } from './matmul.ts';
import { imageOf, slide, type WindowOptions } from './window.ts';

/**
 * Winograd's minimal filtering F(2×2, 3×3) after Lavin & Gray 2016: a 3×3 convolution as three ops around a batch of 16 matrix
 * products, with 16 multiplications for four pixels instead of 36. Images are nhwc, filters hwio, channels whole vec4.
 */

/** Tiles of 2×2 pixels of an output. */
const tilesOf = ([h, w]: readonly [number, number]): number => Math.ceil(h / 2) * Math.ceil(w / 2);

function needWhole(op: string, name: string, { shape }: TensorDescriptor): void {
  if (shape.at(-1)! % 4)
    throw opError('wrong-shape', op, `${name} needs a multiple of 4 channels, got ${formatShape(shape)}`);
}

const common = (dataType: string) => [grid, part(elem, dataType), part(operandA, 'vec4')];
const one = (candidate: Omit<Candidate, 'bind' | 'grid'>, input: string, items: number): Candidate[] => [
  { ...candidate, grid: flatGrid(items, FLAT), bind: { a: input } },
];

/** winogradFilter: filter [3, 3, C, O] to G g Gᵀ, [16, C, O]. */
const winogradFilter = defineOp<object>({
  name: 'winogradFilter',
  infer(inputs) {
    const filter = need(inputs, 'filter', 'winogradFilter');
    needFloat('winogradFilter', 'filter', filter);
    needWhole('winogradFilter', 'filter', filter);
    const [h, w, ...channels] = filter.shape;
    if (h !== 3 || w !== 3 || channels.length !== 2)
      throw opError('wrong-shape', 'winogradFilter', `filter is ${formatShape(filter.shape)}, expected [3,3,C,O]`);
    return { dataType: filter.dataType, shape: [16, ...channels] };
  },
  candidates(_inputs, _options, { dataType, shape }) {
    const type = ELEM[dataType]!;
    const count = elementCount(shape) / 64;
    return one(
      {
        label: `winogradFilter[${type}]`,
        variant: { kernel: filterKernel, ports: [...common(type), part(store, 'vec4')], constants: { WG: u32(FLAT) } },
        params: { count },
      },
      'filter',
      count,
    );
  },
});

const windowOf = (inputs: Inputs, { padding = [0, 0, 0, 0] }: WindowOptions) => {
  const image = imageOf('winogradInput', need(inputs, 'input', 'winogradInput').shape, 'nhwc');
  return { image, out: slide('winogradInput', image, [3, 3], { padding }) };
};

/** winogradInput: image [N, H, W, C] to Bᵀ d B of its 4×4 tiles, [16, tiles, C]. */
const winogradInput = defineOp<Pick<WindowOptions, 'padding'>>({
  name: 'winogradInput',
  infer(inputs, options) {
    const { image, out } = windowOf(inputs, options);
    const input = inputs['input']!;
    needFloat('winogradInput', 'input', input);
    needWhole('winogradInput', 'input', input);
    return { dataType: input.dataType, shape: [16, image.n * tilesOf([out.h, out.w]), image.c] };
  },
  candidates(inputs, options, { dataType, shape }) {
    const { out } = windowOf(inputs, options);
    const [, tiles, channels] = shape as [number, number, number];
    const type = ELEM[dataType]!;
    return one(
      {
        label: `winogradInput[${type}]`,
        variant: {
          kernel: inputKernel,
          ports: [...common(type), windowStruct, part(store, 'vec4')],
          constants: { WG: u32(FLAT) },
        },
        params: { tiles, channel4s: channels / 4, ...out.params },
      },
      'input',
      (tiles * channels) / 4,
    );
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 2 * elementCount(shape) }),
});

interface OutputOptions {
  /** Height and width of the output. */
  outputSizes: readonly [number, number];
  activation?: Activation;
}

/** winogradOutput: activation(Aᵀ m A + bias + residual) of the products m [16, tiles, O], an image [N, H, W, O]. */
const winogradOutput = defineOp<OutputOptions>({
  name: 'winogradOutput',
  infer(inputs, { outputSizes }) {
    const input = need(inputs, 'input', 'winogradOutput');
    needFloat('winogradOutput', 'input', input);
    needWhole('winogradOutput', 'input', input);
    const [sixteen, tiles, channels] = input.shape as [number, number, number];
    const images = tiles / tilesOf(outputSizes);
    if (sixteen !== 16 || input.shape.length !== 3 || !Number.isInteger(images))
      throw opError(
        'wrong-shape',
        'winogradOutput',
        `input is ${formatShape(input.shape)}, expected 16 products for each tile of ${outputSizes.join('×')} pixels`,
      );
    const output = { dataType: input.dataType, shape: [images, ...outputSizes, channels] };
    checkEpilogue('winogradOutput', inputs, output, channels);
    return output;
  },
  candidates(inputs, { outputSizes: [height, width], activation }, { dataType }) {
    const [, tiles, channels] = inputs['input']!.shape as [number, number, number];
    const type = ELEM[dataType]!;
    const epilogue = { bias: Boolean(inputs['bias']), residual: Boolean(inputs['residual']), activation };
    const { ports, constants } = epiloguePorts(epilogue, 'dense', 'vec4');
    return one(
      {
        label: `winogradOutput[${type},${epilogueName(epilogue)}]`,
        variant: {
          kernel: outputKernel,
          ports: [...common(type), ...ports],
          constants: { WG: u32(FLAT), ...constants },
        },
        params: { tiles, channel4s: channels / 4, height, width },
      },
      'input',
      (tiles * channels) / 4,
    );
  },
  cost: (inputs) => ({ macs: 0, flops: 1.5 * elementCount(inputs['input']!.shape) }),
});

export const winograd: readonly Op[] = [winogradFilter, winogradInput, winogradOutput];
