import grid from '../../shaders/lib/grid.wgsl';
import kernel from '../../shaders/pack_int4.wgsl';
import { u32, type WgslModule } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import { defineOp, EXACT, FLAT, flatGrid, type OpDefinition, splitItems } from './define.ts';

/** How a kernel runs that takes eight elements an invocation, of so many bytes before and after. */
export const byEights = (
  label: string,
  kernel: WgslModule,
  bytes: { input: number; output: number },
): Pick<OpDefinition<object>, 'candidates' | 'pieces'> => ({
  candidates({ input }) {
    const count8 = Math.ceil(elementCount(input!.shape) / 8);
    return [
      {
        label,
        variant: { kernel, ports: [grid], constants: { WG: u32(FLAT) } },
        params: { count8 },
        grid: flatGrid(count8, FLAT),
      },
    ];
  },
  pieces: (candidate, { input }, _options, _output, limit) =>
    splitItems(
      Math.ceil(elementCount(input!.shape) / 8),
      bytes,
      limit,
      (_start, count8) => ({ params: { count8 }, grid: flatGrid(count8, FLAT) }),
      candidate,
    ),
});

/** packInt4: int8 numbers from -8 to 7 as int4x8, eight to a word: the form of int4 weights on the device. */
export const packInt4 = defineOp<object>({
  name: 'packInt4',
  operands: { input: { types: ['int8'] } },
  tolerance: EXACT,
  infer: ({ input }) => ({ dataType: 'int4x8', shape: input!.shape }),
  ...byEights('packInt4[int8]', kernel, { input: 8, output: 4 }),
  rowwise: ({ input }, options) => (elementCount(input!.shape.slice(1)) % 8 ? undefined : options),
});
