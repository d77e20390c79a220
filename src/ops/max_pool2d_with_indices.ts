import elem from '../../shaders/lib/elem.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import windowStruct from '../../shaders/lib/window.wgsl';
import kernel from '../../shaders/max_pool2d_with_indices.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import { defineOp, ELEM, EXACT, FLAT, FLOATS, flatGrid, type Labelled, type Operand, opError } from './define.ts';
import { geometry, POOL_OPTIONS, type Pool2dOptions } from './pool2d.ts';
import { imageShape } from './window.ts';

const INDEX_TYPES = ['int32', 'int64'] as const;

interface MaxPoolOptions extends Pool2dOptions {
  /** Of the indices; int32 where absent, ONNX' is int64. */
  outputDataType?: (typeof INDEX_TYPES)[number];
}

type MaxPool = (input: Operand, options?: MaxPoolOptions & Labelled) => readonly [output: Operand, indices: Operand];

/**
 * maxPool2dWithIndices (ONNX' MaxPool): maxPool2d, and the place of each maximum in the whole input, as counted along
 * all of its axes; of equals the first. The kernel takes both layouts: to it channels before the pixels are images.
 */
export const maxPool2dWithIndices = defineOp<MaxPoolOptions, MaxPool>({
  name: 'maxPool2dWithIndices',
  operands: { input: { types: FLOATS, rank: [4, 4] } },
  options: [...POOL_OPTIONS, 'outputDataType'],
  results: ['output', 'indices'],
  tolerance: EXACT,
  infer(inputs, options) {
    const { outputDataType = 'int32' } = options;
    if (!INDEX_TYPES.includes(outputDataType))
      throw opError(
        'invalid-argument',
        'maxPool2dWithIndices',
        `outputDataType is ${outputDataType}, expected ${INDEX_TYPES.join(' or ')}`,
      );
    const { image, layout, out } = geometry('maxPool2dWithIndices', inputs, options);
    const shape = imageShape({ ...image, h: out.h, w: out.w }, layout);
    return [
      { dataType: inputs['input']!.dataType, shape },
      { dataType: outputDataType, shape },
    ];
  },
  candidates(inputs, options, { dataType, shape }) {
    const { image, layout, out } = geometry('maxPool2dWithIndices', inputs, options);
    const type = ELEM[dataType]!;
    const count = elementCount(shape);
    return [
      {
        label: `maxPool2dWithIndices[${type}]`,
        variant: {
          kernel,
          ports: [grid, windowStruct, part(elem, type), part(functions, 'float')],
          constants: { WG: u32(FLAT) },
        },
        params: { count, channels: layout === 'nhwc' ? image.c : 1, ...out.params },
        grid: flatGrid(count, FLAT),
      },
    ];
  },
});
