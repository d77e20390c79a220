import { type DataType, formatShape, sameShape } from '../tensor/types.ts';
import { defineOp, type Inputs, need, needFloat, opError, type Shape } from './define.ts';

/**
 * Each axis of the input as two, how many blocks and how long they are, and the scale as it broadcasts to those. Dimensions that the
 * scale lacks in front are 1.
 */
export function splitAxes(op: string, shape: Shape, scale: Shape): { input: number[]; scale: number[] } {
  const counts = shape.map((_, d) => scale[d - shape.length + scale.length] ?? 1);
  if (scale.length > shape.length || shape.some((size, d) => size % counts[d]!))
    throw opError('wrong-shape', op, `scales ${formatShape(scale)} do not divide ${formatShape(shape)} into blocks`);
  return {
    input: shape.flatMap((size, d) => [counts[d]!, size / counts[d]!]),
    scale: counts.flatMap((count) => [count, 1]),
  };
}

/** Checks scale and zero point of a linear quantisation. */
function needScale(op: string, inputs: Inputs, integer: DataType): void {
  const [input, scale] = [need(inputs, 'input', op), need(inputs, 'scale', op)];
  needFloat(op, 'scale', scale);
  splitAxes(op, input.shape, scale.shape);
  const { zeroPoint } = inputs;
  if (zeroPoint && zeroPoint.dataType !== integer)
    throw opError('wrong-type', op, `zeroPoint is ${zeroPoint.dataType}, expected ${integer}`);
  if (zeroPoint && !sameShape(zeroPoint.shape, scale.shape))
    throw opError(
      'wrong-shape',
      op,
      `zeroPoint is ${formatShape(zeroPoint.shape)}, expected ${formatShape(scale.shape)} as scale`,
    );
}

/** The numbers that an integer type holds, as far as float32 has them. */
export const INTEGERS: Partial<Record<DataType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-2147483648, 2147483520],
};

const needInteger = (op: string, name: string, dataType: DataType): void => {
  if (!INTEGERS[dataType])
    throw opError('wrong-type', op, `${name} is ${dataType}, expected one of ${Object.keys(INTEGERS).join(', ')}`);
};

/**
 * quantizeLinear: round(input / scale) + zeroPoint, clamped to the type of zeroPoint, or `dataType` where there is none. A dimension
 * of the scale that divides the input's makes blocks. Its kernels load with the passes of quantisation (quantize.ts).
 */
export const quantizeLinear = defineOp<{ dataType?: DataType }>({
  name: 'quantizeLinear',
  infer(inputs, options) {
    const input = need(inputs, 'input', 'quantizeLinear');
    const dataType = inputs['zeroPoint']?.dataType ?? options.dataType ?? 'int8';
    needFloat('quantizeLinear', 'input', input);
    needInteger('quantizeLinear', 'the output', dataType);
    needScale('quantizeLinear', inputs, dataType);
    return { dataType, shape: input.shape };
  },
});

/** dequantizeLinear: (input - zeroPoint) * scale, of the type of the scale; blocks and kernels as quantizeLinear's. */
export const dequantizeLinear = defineOp<object>({
  name: 'dequantizeLinear',
  infer(inputs) {
    const input = need(inputs, 'input', 'dequantizeLinear');
    if (input.dataType !== 'int4') needInteger('dequantizeLinear', 'input', input.dataType);
    needScale('dequantizeLinear', inputs, input.dataType);
    return { dataType: inputs['scale']!.dataType, shape: input.shape };
  },
});
