import elem from '../../shaders/lib/elem.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import store from '../../shaders/lib/store.wgsl';
import windowStruct from '../../shaders/lib/window.wgsl';
import tilePlace from '../../shaders/lib/winograd_tile.wgsl';
import filterKernel from '../../shaders/winograd_filter.wgsl';
import inputKernel from '../../shaders/winograd_input.wgsl';
import outputKernel from '../../shaders/winograd_output.wgsl';
import { type ParamValues, part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { elementCount, formatShape, type TensorDescriptor } from '../tensor/types.ts';
import { AS_INPUT, type Candidate, defineOp, ELEM, FLAT, FLOATS, flatGrid, type Inputs, opError } from './define.ts';
import type { Activation } from './elementwise.ts';
import { epilogueName, epilogueOf, epiloguePorts } from './epilogue.ts';
import { checkEpilogue } from './matmul.ts';
import { DENSE } from './weights.ts';
import { imageOf, slide, type WindowOptions } from './window.ts';

/*
 * Winograd's minimal filtering F(2×2, 3×3) after Lavin & Gray 2016: a 3×3 convolution as three ops around a batch of 16 matrix
 * products, with 16 multiplications for four pixels instead of 36. Images are nhwc, filters hwio, channels multiples of 4.
 */

/** The candidate of an op whose invocation takes four channels of a tile, or four filters. `shape` is [16, …, channels]. */
function transform(
  kernel: WgslModule,
  input: string,
  { dataType, shape }: TensorDescriptor,
  params: ParamValues,
  tags: readonly string[],
  ports: readonly WgslModule[],
  constants: Record<string, string> = {},
): Candidate[] {
  if (shape.at(-1)! % 4) return [];
  const type = ELEM[dataType]!;
  return [
    {
      label: `${kernel.name}[${[type, ...tags].join()}]`,
      variant: {
        kernel,
        ports: [grid, part(elem, type), part(operandA, 'vec4'), ...ports],
        constants: { WG: u32(FLAT), ...constants },
      },
      params,
      grid: flatGrid(elementCount(shape.slice(1)) / 4, FLAT),
      bind: { a: input },
    },
  ];
}

/** winogradFilter: filter [3, 3, C, O] to G g Gᵀ, [16, C, O]. */
export const winogradFilter = defineOp<object>({
  name: 'winogradFilter',
  operands: { filter: { types: FLOATS, rank: [4, 4] } },
  infer(inputs) {
    const { dataType, shape } = inputs['filter']!;
    return { dataType, shape: [16, ...shape.slice(2)] };
  },
  candidates: (_inputs, _options, output) =>
    transform(filterKernel, 'filter', output, { count: elementCount(output.shape) / 64 }, [], [part(store, 'vec4')]),
});

/** Tiles of 2×2 pixels of an output. */
const tilesOf = (h: number, w: number): number => Math.ceil(h / 2) * Math.ceil(w / 2);

const windowOf = (inputs: Inputs, { padding = [0, 0, 0, 0] }: WindowOptions) => {
  const image = imageOf(inputs['input']!.shape, 'nhwc');
  return { image, out: slide('winogradInput', image, [3, 3], { padding }) };
};

/** winogradInput: image [N, H, W, C] to Bᵀ d B of its 4×4 tiles, [16, tiles, C]. */
export const winogradInput = defineOp<Pick<WindowOptions, 'padding'>>({
  name: 'winogradInput',
  operands: { input: { types: FLOATS, rank: [4, 4] } },
  options: ['padding'],
  infer(inputs, options) {
    const { image, out } = windowOf(inputs, options);
    return { dataType: inputs['input']!.dataType, shape: [16, image.n * tilesOf(out.h, out.w), image.c] };
  },
  candidates(inputs, options, output) {
    const [, tiles, channels] = output.shape as [number, number, number];
    const params = { tiles, channel4s: channels / 4, ...windowOf(inputs, options).out.params };
    return transform(inputKernel, 'input', output, params, [], [windowStruct, tilePlace, part(store, 'vec4')]);
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 2 * elementCount(shape) }),
});

interface OutputOptions {
  /** Height and width of the output. */
  outputSizes: readonly [number, number];
  activation?: Activation;
}

/** winogradOutput: activation(Aᵀ m A + bias + residual) * affine[0] + affine[1] of the products m [16, tiles, O], an image [N, H, W, O]. */
export const winogradOutput = defineOp<OutputOptions>({
  name: 'winogradOutput',
  operands: { input: { types: FLOATS, rank: [3, 3] }, bias: AS_INPUT, residual: AS_INPUT, affine: AS_INPUT },
  options: ['outputSizes', 'activation'],
  infer(inputs, { outputSizes }) {
    const { dataType, shape } = inputs['input']!;
    const [, tiles, channels] = shape as [number, number, number];
    const images = tiles / tilesOf(...outputSizes);
    if (!Number.isInteger(images))
      throw opError('wrong-shape', 'winogradOutput', `${formatShape(shape)} are no tiles of ${outputSizes.join('×')}`);
    const output = { dataType, shape: [images, ...outputSizes, channels] };
    checkEpilogue('winogradOutput', inputs, output, channels);
    return output;
  },
  candidates(inputs, { outputSizes: [height, width], activation }) {
    const input = inputs['input']!;
    const [, tiles, channels] = input.shape as [number, number, number];
    const epilogue = epilogueOf(inputs, activation);
    const { ports, constants } = epiloguePorts(epilogue, DENSE, 'vec4');
    const params = { tiles, channel4s: channels / 4, height, width };
    return transform(outputKernel, 'input', input, params, [epilogueName(epilogue)], [tilePlace, ...ports], constants);
  },
  cost: (inputs) => ({ macs: 0, flops: 1.5 * elementCount(inputs['input']!.shape) }),
});
