import operandB from '../../shaders/lib/operand_b.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { part, type WgslModule } from '../gpu/wgsl.ts';
import { type DataType, elementCount, formatShape, type TensorDescriptor } from '../tensor/types.ts';
import { type Inputs, opError } from './define.ts';

/** The form of weights: the type of the activations, bits of float16, int8 or int4 with scales. */
export type WeightKind = 'dense' | 'half' | 'q8' | 'q4';

export interface Weights {
  readonly kind: WeightKind;
  /** Elements along the input that share a scale; 0: an output channel has one scale. */
  readonly group: number;
}

/** Weights of the type of the activations. */
export const DENSE: Weights = { kind: 'dense', group: 0 };

const QUANTIZED: Partial<Record<DataType, WeightKind>> = { int8: 'q8', int4x8: 'q4' };

/**
 * The form of the operand `name` of an op. Scales are float32: one for each of `channels`, or one for each `group` of
 * the `depth` elements of a channel.
 */
export function weightsOf(
  op: string,
  inputs: Inputs,
  name: string,
  activations: DataType,
  channels: number,
  depth: number,
): Weights {
  const { [name]: weights, scales } = inputs as Record<string, TensorDescriptor>;
  const { dataType } = weights!;
  if (!scales) {
    const half = dataType === 'float16' && activations === 'float32';
    if (dataType !== activations && !half)
      throw opError('wrong-type', op, `${name} is ${dataType}, expected ${activations}`);
    return { kind: half ? 'half' : 'dense', group: 0 };
  }
  const kind = QUANTIZED[dataType];
  if (!kind) throw opError('wrong-type', op, `${name} is ${dataType}, expected int8 or int4x8, as it has scales`);
  const groups = elementCount(scales.shape) / channels;
  const group = groups === 1 ? 0 : depth / groups;
  if (!Number.isInteger(group) || group % 4 || (kind === 'q4' && elementCount(weights!.shape) % 8))
    throw opError(
      'wrong-shape',
      op,
      `scales is ${formatShape(scales.shape)}, expected [${channels}], or one for each group of 4 or more of ${depth} (${name} ${formatShape(weights!.shape)})`,
    );
  return { kind, group };
}

/** Elements of weights that are read at a time: 4 at once, 4 one by one, or 16 (int8 and int4 only). */
export type WeightUnit = 'vec4' | 'ragged' | 'wide';

/** The port that reads weights, with `more` of its parts. */
export const weightPorts = (
  { kind }: Weights,
  unit: WeightUnit,
  { software, packedDot }: Caps,
  ...more: string[]
): WgslModule[] => {
  const conversion = kind.startsWith('q') ? [packedDot && !software ? 'unpack' : 'products'] : [];
  return [part(operandB, unit === 'vec4' ? kind : `${kind}_${unit}`, ...conversion, ...more)];
};

/** `q8`, `q4`, `g32`: parts of labels. */
export const weightTags = ({ kind, group }: Weights): string[] => [
  ...(kind === 'dense' ? [] : [kind]),
  ...(group ? [`g${group}`] : []),
];
