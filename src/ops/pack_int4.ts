import grid from '../../shaders/lib/grid.wgsl';
import kernel from '../../shaders/pack_int4.wgsl';
import { u32 } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import { defineOp, EXACT, FLAT, flatGrid, splitItems } from './define.ts';

/** packInt4: int8 numbers from -8 to 7 as int4x8, eight to a word: the form of int4 weights on the device. */
export const packInt4 = defineOp<object>({
  name: 'packInt4',
  operands: { input: { types: ['int8'] } },
  tolerance: EXACT,
  infer: ({ input }) => ({ dataType: 'int4x8', shape: input!.shape }),
  candidates(inputs) {
    const count8 = Math.ceil(elementCount(inputs['input']!.shape) / 8);
    return [
      {
        label: 'packInt4[int8]',
        variant: { kernel, ports: [grid], constants: { WG: u32(FLAT) } },
        params: { count8 },
        grid: flatGrid(count8, FLAT),
      },
    ];
  },
  rowwise: ({ input }, options) => (elementCount(input!.shape.slice(1)) % 8 ? undefined : options),
  pieces: (candidate, inputs, _options, _output, limit) =>
    splitItems(
      Math.ceil(elementCount(inputs['input']!.shape) / 8),
      { input: 8, output: 4 },
      limit,
      (_start, count8) => ({ params: { count8 }, grid: flatGrid(count8, FLAT) }),
      candidate,
    ),
});
