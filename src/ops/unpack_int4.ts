import kernel from '../../shaders/unpack_int4.wgsl';
import { defineOp, EXACT } from './define.ts';
import { byEights } from './pack_int4.ts';

/** unpackInt4: int4x8 as int8, for ops that do not read int4x8. */
export const unpackInt4 = defineOp<object>({
  name: 'unpackInt4',
  operands: { input: { types: ['int4x8'] } },
  tolerance: EXACT,
  infer: ({ input }) => ({ dataType: 'int8', shape: input!.shape }),
  ...byEights('unpackInt4[int8]', kernel, { input: 4, output: 8 }),
});
