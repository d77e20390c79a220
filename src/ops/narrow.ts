import kernel from '../../shaders/narrow.wgsl';
import { defineOp, need, opError, splitFlat } from './define.ts';
import { flatCandidate, fours } from './half.ts';

/** narrow: float32 rounded to float16, as its bits; what is too large becomes infinite. Needs no shader-f16. */
export const narrow = defineOp<object>({
  name: 'narrow',
  infer(inputs) {
    const { dataType, shape } = need(inputs, 'input', 'narrow');
    if (dataType !== 'float32') throw opError('wrong-type', 'narrow', `input is ${dataType}, expected float32`);
    return { dataType: 'float16', shape };
  },
  candidates: (_inputs, _options, output) => [flatCandidate('narrow[float16]', kernel, [], fours(output))],
  pieces: (whole, _inputs, _options, output, limit) => splitFlat(whole, fours(output), { input: 4, output: 2 }, limit),
  rowwise: (_inputs, options) => options,
});
