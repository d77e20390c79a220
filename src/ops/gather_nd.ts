import kernel from '../../shaders/gather_nd.wgsl';
import { defineOp, EXACT, INDICES, type Inputs, type Labelled, NUMBERS, type Operand } from './define.ts';
import { mover } from './mover.ts';
import { type Slices, sliceParams, slicePorts, slicesOf } from './slices.ts';

const axesOf = (inputs: Inputs): Slices => slicesOf('gatherND', inputs);

type GatherND = (input: Operand, indices: Operand, options?: Labelled) => Operand;

/**
 * gatherND: input [axes.., slice..] and indices [..., number of axes] give [..., slice..]. A coordinate is clamped to
 * its axis; a negative one counts from the end.
 */
export const gatherND = defineOp<object, GatherND>({
  name: 'gatherND',
  operands: { input: { types: NUMBERS }, indices: { types: INDICES, rank: [1, Number.POSITIVE_INFINITY] } },
  tolerance: EXACT,
  values: (name, inputs) => (name === 'indices' ? { low: 0, high: Math.max(...axesOf(inputs).named) - 1 } : undefined),
  infer(inputs) {
    const { input, indices } = inputs;
    return { dataType: input!.dataType, shape: [...indices!.shape.slice(0, -1), ...axesOf(inputs).slice] };
  },
  candidates(inputs, _options, output) {
    return [mover('gatherND', kernel, output, sliceParams(axesOf(inputs)), slicePorts(inputs))];
  },
});
