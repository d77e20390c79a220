import kernel from '../../shaders/gather_elements.wgsl';
import { formatShape, stridesOf, type TensorDescriptor } from '../tensor/types.ts';
import {
  defineOp,
  EXACT,
  INDICES,
  type Inputs,
  type Labelled,
  NUMBERS,
  needAxis,
  type Operand,
  opError,
} from './define.ts';
import { mover } from './mover.ts';
import { placeOf } from './place.ts';

/** Axes that the kernels have room for. */
const MOST = 8;

/** `axis` from 0 on. Error: indices that are longer than the input on another axis. */
export function indexedAxis(op: string, { input, indices }: Inputs, axis: number): number {
  const { shape } = input!;
  const at = needAxis(op, axis, shape.length);
  if (shape.length > MOST)
    throw opError('wrong-shape', op, `input ${formatShape(shape)} has ${shape.length} axes, ${MOST} at most`);
  if (indices!.shape.length !== shape.length || indices!.shape.some((size, d) => d !== at && size > shape[d]!))
    throw opError(
      'wrong-shape',
      op,
      `indices ${formatShape(indices!.shape)} do not fit into ${formatShape(shape)} beside axis ${at}`,
    );
  return at;
}

type GatherElements = (input: Operand, indices: Operand, options?: { axis?: number } & Labelled) => Operand;

/**
 * gatherElements: of the shape of the indices: each element is the input's at the same coordinates, but for `axis`
 * (0 where absent), where its index says which. An index is clamped to the axis; a negative one counts from the end.
 */
export const gatherElements = defineOp<{ axis?: number }, GatherElements>({
  name: 'gatherElements',
  operands: { input: { types: NUMBERS }, indices: { types: INDICES } },
  options: ['axis'],
  tolerance: EXACT,
  values: (name, { input }, { axis = 0 }) =>
    name === 'indices' ? { low: 0, high: input!.shape.at(axis)! - 1 } : undefined,
  infer(inputs, { axis = 0 }): TensorDescriptor {
    indexedAxis('gatherElements', inputs, axis);
    return { dataType: inputs['input']!.dataType, shape: inputs['indices']!.shape };
  },
  candidates(inputs, { axis = 0 }, output) {
    const { shape } = inputs['input']!;
    const at = indexedAxis('gatherElements', inputs, axis);
    const strides = stridesOf(shape);
    const params = {
      rank: shape.length,
      extent: shape[at]!,
      stride: strides[at]!,
      axes: output.shape.flatMap((size, d) => [size, d === at ? 0 : strides[d]!, 0, 0]),
    };
    return [mover('gatherElements', kernel, output, params, [placeOf(inputs['indices']!)])];
  },
});
