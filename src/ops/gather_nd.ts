import kernel from '../../shaders/gather_nd.wgsl';
import { elementCount, formatShape } from '../tensor/types.ts';
import {
  defineOp,
  EXACT,
  INDICES,
  type Inputs,
  type Labelled,
  NUMBERS,
  type Operand,
  opError,
  type Shape,
} from './define.ts';
import { mover } from './mover.ts';
import { placeOf } from './place.ts';

/** Coordinates of an index, at the most. */
const MOST = 8;

/** The axes of the input that an index has coordinates for, and the others: those of a slice. */
function axesOf({ input, indices }: Inputs): { named: Shape; slice: Shape } {
  const count = indices!.shape.at(-1)!;
  const most = Math.min(input!.shape.length, MOST);
  if (count < 1 || count > most)
    throw opError(
      'wrong-shape',
      'gatherND',
      `indices of ${count} numbers, expected 1 to ${most} (input ${formatShape(input!.shape)}, indices ${formatShape(indices!.shape)})`,
    );
  return { named: input!.shape.slice(0, count), slice: input!.shape.slice(count) };
}

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
    const { named, slice } = axesOf(inputs);
    const params = {
      rank: named.length,
      inner: elementCount(slice),
      axes: [...named, ...new Array<number>(MOST - named.length).fill(1)],
    };
    return [mover('gatherND', kernel, output, params, [placeOf(inputs['indices']!)])];
  },
});
