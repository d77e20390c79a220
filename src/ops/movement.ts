import border from '../../shaders/lib/border.wgsl';
import rearrangeKernel from '../../shaders/rearrange.wgsl';
import { part } from '../gpu/wgsl.ts';
import { toHalf } from '../tensor/half.ts';
import {
  broadcastShapes,
  type DataType,
  formatShape,
  sameShape,
  stridesOf,
  type TensorDescriptor,
} from '../tensor/types.ts';
import {
  type Candidate,
  defineOp,
  EXACT,
  type Labelled,
  NUMBERS,
  needAxis,
  type Operand,
  opError,
  type Shape,
} from './define.ts';
import { mover } from './mover.ts';

interface Axis {
  readonly size: number;
  readonly step: number;
  readonly start: number;
  /** Size in the input. Coordinates beyond it are the border's. */
  readonly extent: number;
  readonly stride: number;
}

/**
 * The kernel of transpose, slice, pad, expand, reverse and tile. `axes` are those of the output, with their walk over the
 * input.
 */
export function rearrange(
  name: string,
  output: TensorDescriptor,
  axes: readonly Axis[],
  mode = 'constant',
  fill = 0,
): [Candidate] {
  const walked = joined(axes.filter(({ size, start, extent }) => size > 1 || start || !extent));
  if (walked.length > 8) throw opError('wrong-shape', name, `${walked.length} axes longer than 1, 8 at most`);
  const params = {
    rank: walked.length,
    fill,
    unused: 0,
    axes: walked.flatMap(({ size, step, start, extent }) => [size, step, start, extent]),
    strides: walked.map(({ stride }) => stride),
  };
  return [mover(mode === 'constant' ? name : `${name}_${mode}`, rearrangeKernel, output, params, [part(border, mode)])];
}

/** Axes that are taken whole, and follow one another in the input as in the output, are one. */
function joined(axes: readonly Axis[]): Axis[] {
  const whole = ({ size, step, start, extent }: Axis): boolean => step === 1 && start === 0 && size === extent;
  const out: Axis[] = [];
  for (const axis of axes) {
    const before = out.at(-1);
    if (before && whole(before) && whole(axis) && before.stride === axis.stride * axis.size) {
      const size = before.size * axis.size;
      out[out.length - 1] = { ...axis, size, extent: size };
    } else out.push(axis);
  }
  return out;
}

/** The bits of a number in a data type. */
export function bitsOf(dataType: DataType, value: number): number {
  if (dataType === 'float16') return toHalf(value);
  if (dataType === 'float32') return new Uint32Array(new Float32Array([value]).buffer)[0]!;
  return dataType.endsWith('8') ? value & 255 : value >>> 0;
}

type Transpose = (input: Operand, options?: { permutation?: readonly number[] } & Labelled) => Operand;

/** transpose: axis d of the output is axis permutation[d] of the input. Absent: the axes in reverse. */
export const transpose = defineOp<{ permutation?: readonly number[] }, Transpose>({
  name: 'transpose',
  operands: { input: { types: NUMBERS } },
  options: ['permutation'],
  permutes: true,
  tolerance: EXACT,
  infer(inputs, options) {
    const { dataType, shape } = inputs['input']!;
    const permutation = options.permutation ?? shape.map((_, d) => shape.length - 1 - d);
    if (
      permutation.length !== shape.length ||
      new Set(permutation).size !== shape.length ||
      permutation.some((d) => !(d in shape))
    ) {
      throw opError(
        'invalid-argument',
        'transpose',
        `[${permutation.join(',')}] is no permutation of the axes of ${formatShape(shape)}`,
      );
    }
    return { dataType, shape: permutation.map((d) => shape[d]!) };
  },
  candidates(inputs, options, output) {
    const { shape } = inputs['input']!;
    const strides = stridesOf(shape);
    const permutation = options.permutation ?? shape.map((_, d) => shape.length - 1 - d);
    return rearrange(
      'transpose',
      output,
      permutation.map((d) => ({ size: shape[d]!, step: 1, start: 0, extent: shape[d]!, stride: strides[d]! })),
    );
  },
});

export interface SliceOptions {
  starts: readonly number[];
  sizes: readonly number[];
  strides?: readonly number[];
}

type Slice = (
  input: Operand,
  starts: readonly number[],
  sizes: readonly number[],
  options?: { strides?: readonly number[] } & Labelled,
) => Operand;

/** slice: of each axis every `strides`-th of `sizes` elements, from `starts` on. */
export const slice = defineOp<SliceOptions, Slice>({
  name: 'slice',
  operands: { input: { types: NUMBERS } },
  args: ['starts', 'sizes'],
  options: ['strides'],
  perAxis: ['starts', 'sizes', 'strides'],
  tolerance: EXACT,
  infer(inputs, { starts, sizes, strides = [] }) {
    const { dataType, shape } = inputs['input']!;
    if (starts.length !== shape.length || sizes.length !== shape.length) {
      throw opError(
        'invalid-argument',
        'slice',
        `starts and sizes need ${shape.length} numbers, got ${starts.length} and ${sizes.length}`,
      );
    }
    shape.forEach((extent, d) => {
      if (starts[d]! < 0 || sizes[d]! < 0 || starts[d]! + sizes[d]! > extent) {
        throw opError(
          'invalid-argument',
          'slice',
          `[${starts[d]}, ${starts[d]! + sizes[d]!}) leaves dimension ${d} of ${formatShape(shape)}`,
        );
      }
    });
    return { dataType, shape: sizes.map((size, d) => Math.ceil(size / (strides[d] ?? 1))) };
  },
  candidates(inputs, { starts, strides = [] }, output) {
    const { shape } = inputs['input']!;
    const own = stridesOf(shape);
    return rearrange(
      'slice',
      output,
      output.shape.map((size, d) => ({
        size,
        step: strides[d] ?? 1,
        start: starts[d]!,
        extent: shape[d]!,
        stride: own[d]!,
      })),
    );
  },
});

type Reverse = (input: Operand, options?: { axes?: readonly number[] } & Labelled) => Operand;

/** reverse: the elements of `axes` (all where absent) from the last to the first. */
export const reverse = defineOp<{ axes?: readonly number[] }, Reverse>({
  name: 'reverse',
  operands: { input: { types: NUMBERS } },
  options: ['axes'],
  tolerance: EXACT,
  infer: ({ input }) => input!,
  candidates(inputs, { axes }, output) {
    const { shape } = inputs['input']!;
    const strides = stridesOf(shape);
    const turned = (axes ?? shape.map((_, d) => d)).map((axis) => needAxis('reverse', axis, shape.length));
    return rearrange(
      'reverse',
      output,
      shape.map((size, d) => ({
        size,
        step: turned.includes(d) ? -1 : 1,
        start: turned.includes(d) ? size - 1 : 0,
        extent: size,
        stride: strides[d]!,
      })),
    );
  },
});

export type PadMode = 'constant' | 'edge' | 'reflection' | 'symmetric';

export interface PadOptions {
  beginningPadding: readonly number[];
  endingPadding: readonly number[];
  mode?: PadMode;
  value?: number;
}

type Pad = (
  input: Operand,
  beginningPadding: readonly number[],
  endingPadding: readonly number[],
  options?: { mode?: PadMode; value?: number } & Labelled,
) => Operand;

/** pad: elements before and after each axis: `value`, the edge, or a mirror image without or with the edge. */
export const pad = defineOp<PadOptions, Pad>({
  name: 'pad',
  operands: { input: { types: NUMBERS } },
  args: ['beginningPadding', 'endingPadding'],
  options: ['mode', 'value'],
  perAxis: ['beginningPadding', 'endingPadding'],
  takesEmpty: true,
  tolerance: EXACT,
  infer(inputs, { beginningPadding, endingPadding, mode = 'constant' }) {
    const { dataType, shape } = inputs['input']!;
    if (beginningPadding.length !== shape.length || endingPadding.length !== shape.length) {
      throw opError(
        'invalid-argument',
        'pad',
        `paddings need ${shape.length} numbers, got ${beginningPadding.length} and ${endingPadding.length}`,
      );
    }
    shape.forEach((extent, d) => {
      const most = Math.max(beginningPadding[d]!, endingPadding[d]!);
      const [free, edge] = [Number.POSITIVE_INFINITY, extent && Number.POSITIVE_INFINITY];
      const reach = { constant: free, edge, reflection: extent - 1, symmetric: extent }[mode];
      if (most > reach)
        throw opError(
          'invalid-argument',
          'pad',
          `${mode} reaches ${reach} elements in dimension ${d} of ${formatShape(shape)}, padding is ${most}`,
        );
    });
    return { dataType, shape: shape.map((size, d) => size + beginningPadding[d]! + endingPadding[d]!) };
  },
  candidates(inputs, { beginningPadding, mode = 'constant', value = 0 }, output) {
    const { shape, dataType } = inputs['input']!;
    const strides = stridesOf(shape);
    const axes = output.shape.map((size, d) => ({
      size,
      step: 1,
      start: -beginningPadding[d]!,
      extent: shape[d]!,
      stride: strides[d]!,
    }));
    return rearrange('pad', output, axes, mode, bitsOf(dataType, value));
  },
});

type Expand = (input: Operand, newShape: Shape, options?: Labelled) => Operand;

/** expand: axes of length 1 repeat, and new axes come in front. */
export const expand = defineOp<{ newShape: Shape }, Expand>({
  name: 'expand',
  operands: { input: { types: NUMBERS } },
  args: ['newShape'],
  tolerance: EXACT,
  infer(inputs, { newShape }) {
    const { dataType, shape } = inputs['input']!;
    if (!sameShape(broadcastShapes('expand', shape, newShape), newShape)) {
      throw opError('wrong-shape', 'expand', `${formatShape(shape)} does not expand to ${formatShape(newShape)}`);
    }
    return { dataType, shape: newShape };
  },
  candidates(inputs, _options, output) {
    const { shape } = inputs['input']!;
    const strides = stridesOf(shape);
    const offset = output.shape.length - shape.length;
    const axes = output.shape.map((size, d) => {
      const own = shape[d - offset];
      return { size, step: own === size ? 1 : 0, start: 0, extent: own ?? 1, stride: strides[d - offset] ?? 0 };
    });
    return rearrange('expand', output, axes);
  },
});
