import kernel from '../../shaders/narrow.wgsl';
import { defineOp, splitFlat } from './define.ts';
import { flatCandidate, fours } from './widen.ts';

/** narrow: float32 rounded to the bits of float16; too large numbers become infinite. Needs no shader-f16. */
export const narrow = defineOp<object>({
  name: 'narrow',
  operands: { input: { types: ['float32'] } },
  infer: ({ input }) => ({ dataType: 'float16', shape: input!.shape }),
  candidates: (_inputs, _options, output) => [flatCandidate('narrow[float16]', kernel, [], fours(output))],
  pieces: (whole, _inputs, _options, output, limit) => splitFlat(whole, fours(output), { input: 4, output: 2 }, limit),
  rowwise: (_inputs, options) => options,
});
