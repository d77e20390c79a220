import kernel from '../../shaders/reverse_sequence.wgsl';
import { formatShape, sameShape } from '../tensor/types.ts';
import {
  aroundAxis,
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

interface ReverseSequenceOptions {
  /** 1 where absent. */
  batchAxis?: number;
  /** 0 where absent. */
  timeAxis?: number;
}

type ReverseSequence = (input: Operand, lengths: Operand, options?: ReverseSequenceOptions & Labelled) => Operand;

function axesOf({ input }: Inputs, { batchAxis = 1, timeAxis = 0 }: ReverseSequenceOptions) {
  const { shape } = input!;
  const [batch, time] = [batchAxis, timeAxis].map((axis) => needAxis('reverseSequence', axis, shape.length));
  if (batch === time)
    throw opError('invalid-argument', 'reverseSequence', `batchAxis and timeAxis are both axis ${batch}`);
  return { batch: aroundAxis(shape, batch!), time: aroundAxis(shape, time!) };
}

/**
 * reverseSequence (ONNX' ReverseSequence): of each sequence along `timeAxis` the first `lengths` elements, one length
 * for each place along `batchAxis`, from the last to the first. A length beyond the axis is that of the axis.
 */
export const reverseSequence = defineOp<ReverseSequenceOptions, ReverseSequence>({
  name: 'reverseSequence',
  operands: { input: { types: NUMBERS, rank: [2, Number.POSITIVE_INFINITY] }, lengths: { types: INDICES } },
  options: ['batchAxis', 'timeAxis'],
  tolerance: EXACT,
  values: (name, inputs, options) =>
    name === 'lengths' ? { low: 0, high: axesOf(inputs, options).time.size } : undefined,
  infer(inputs, options) {
    const { input, lengths } = inputs;
    const { size } = axesOf(inputs, options).batch;
    if (!sameShape(lengths!.shape, [size]))
      throw opError('wrong-shape', 'reverseSequence', `lengths is ${formatShape(lengths!.shape)}, expected [${size}]`);
    return input!;
  },
  candidates(inputs, options, output) {
    const { batch, time } = axesOf(inputs, options);
    const params = {
      batches: batch.size,
      batch_stride: batch.stride,
      times: time.size,
      time_stride: time.stride,
    };
    return [mover('reverseSequence', kernel, output, params)];
  },
});
