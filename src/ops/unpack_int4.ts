import grid from '../../shaders/lib/grid.wgsl';
import kernel from '../../shaders/unpack_int4.wgsl';
import { u32 } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import { defineOp, EXACT, FLAT, flatGrid, splitItems } from './define.ts';

/** unpackInt4: int4x8 as int8, for ops that do not read int4x8. */
export const unpackInt4 = defineOp<object>({
  name: 'unpackInt4',
  operands: { input: { types: ['int4x8'] } },
  tolerance: EXACT,
  infer: ({ input }) => ({ dataType: 'int8', shape: input!.shape }),
  candidates(inputs) {
    const count8 = Math.ceil(elementCount(inputs['input']!.shape) / 8);
    return [
      {
        label: 'unpackInt4[int8]',
        variant: { kernel, ports: [grid], constants: { WG: u32(FLAT) } },
        params: { count8 },
        grid: flatGrid(count8, FLAT),
      },
    ];
  },
  pieces: (candidate, inputs, _options, _output, limit) =>
    splitItems(
      Math.ceil(elementCount(inputs['input']!.shape) / 8),
      { input: 4, output: 8 },
      limit,
      (_start, count8) => ({ params: { count8 }, grid: flatGrid(count8, FLAT) }),
      candidate,
    ),
});
