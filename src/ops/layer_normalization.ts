import kernel from '../../shaders/layer_normalization.wgsl';
import affine from '../../shaders/lib/affine.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import store from '../../shaders/lib/store.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { part, type WgslModule } from '../gpu/wgsl.ts';
import { elementCount, formatShape, sameShape, type TensorDescriptor } from '../tensor/types.ts';
import {
  AS_INPUT,
  type Candidate,
  defineOp,
  ELEM,
  FLOAT,
  type Inputs,
  type Labelled,
  needAxis,
  type Operand,
  type Operands,
  opError,
  type Rewriter,
} from './define.ts';
import { lineForms } from './lines.ts';

export interface LayerNormalizationOptions {
  axes?: readonly number[];
  epsilon?: number;
}

function axesOf(name: string, { input }: Inputs, { axes }: LayerNormalizationOptions): number[] {
  const rank = input!.shape.length;
  return (axes ?? input!.shape.map((_, d) => d).slice(1)).map((axis) => needAxis(name, axis, rank));
}

const trailing = (axes: readonly number[], rank: number): boolean =>
  axes.every((axis, i) => axis === rank - axes.length + i);

/** The axes, which differ. `learned`: operands of their shape. */
export function checkedAxes(
  name: string,
  inputs: Inputs,
  options: LayerNormalizationOptions,
  learned: readonly string[],
): number[] {
  const axes = axesOf(name, inputs, options);
  if (new Set(axes).size !== axes.length) throw opError('invalid-argument', name, `axes [${axes.join(',')}] repeat`);
  const expected = axes.map((axis) => inputs['input']!.shape[axis]!);
  for (const which of learned) {
    const given = inputs[which]?.shape;
    if (given && !sameShape(given, expected))
      throw opError('wrong-shape', name, `${which} is ${formatShape(given)}, expected ${formatShape(expected)}`);
  }
  return axes;
}

/** The kernel, over the last axes. `affine`: the part that scales and shifts. */
export function lineNormalization(
  name: string,
  affine: WgslModule,
  centred: boolean,
  size: number,
  epsilon: number,
  { dataType, shape }: TensorDescriptor,
  caps: Caps,
): Candidate[] {
  const lines = elementCount(shape) / size;
  const unit = unitOf(size);
  const type = ELEM[dataType]!;
  return lineForms(lines, size, caps).map(({ tag, ports, constants, grid }) => ({
    label: `${name}[${type},${unit === 'ragged' ? 'ragged,' : ''}${tag}]`,
    variant: {
      kernel,
      ports: [part(elem, type), part(operandA, unit), part(store, unit), affine, ...ports],
      constants: { ...constants, CENTRED: String(centred) },
    },
    params: { lines, size, epsilon },
    grid,
    bind: { a: 'input' },
  }));
}

export const unitOf = (size: number): 'vec4' | 'ragged' => (size % 4 === 0 ? 'vec4' : 'ragged');

/** The op over other axes than the last, between transposes; undefined where they are the last. */
export function overLastAxes(
  name: string,
  { input, ...learned }: Operands,
  axes: readonly number[],
  options: LayerNormalizationOptions,
  rewriter: Rewriter,
): Operand | undefined {
  const { shape } = input!;
  if (trailing(axes, shape.length)) return undefined;
  const others = shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const permutation = [...others, ...axes];
  const inside = rewriter.add('transpose', { input }, { permutation });
  const last = axes.map((_, i) => others.length + i);
  const result = rewriter.add(name, { input: inside, ...learned }, { ...options, axes: last });
  const back = permutation.map((_, d) => permutation.indexOf(d));
  return rewriter.add('transpose', { input: result }, { permutation: back });
}

type LayerNormalization = (
  input: Operand,
  options?: { scale?: Operand; bias?: Operand } & LayerNormalizationOptions & Labelled,
) => Operand;

/** layerNormalization: (x - mean) / sqrt(variance + epsilon) * scale + bias, statistics over `axes` (all but the first). */
export const layerNormalization = defineOp<LayerNormalizationOptions, LayerNormalization>({
  name: 'layerNormalization',
  operands: { input: FLOAT, scale: AS_INPUT, bias: AS_INPUT },
  options: ['axes', 'epsilon'],
  infer(inputs, options) {
    checkedAxes('layerNormalization', inputs, options, ['scale', 'bias']);
    return inputs['input']!;
  },
  candidates(inputs, options, output, caps) {
    const axes = axesOf('layerNormalization', inputs, options);
    const size = axes.reduce((product, axis) => product * output.shape[axis]!, 1);
    const scaled = part(affine, inputs['scale'] ? unitOf(size) : 'none');
    return lineNormalization('layerNormalization', scaled, true, size, options.epsilon ?? 1e-5, output, caps);
  },
  decompose(inputs, options, rewriter) {
    const { input, scale, bias } = inputs;
    const axes = axesOf('layerNormalization', inputs, options);
    const { shape, dataType } = input!;
    if (axes.length === 0) {
      // The mean of one element is the element: x - mean is 0, and the bias is left.
      const nothing = rewriter.add('sub', { a: input, b: input });
      return bias ? rewriter.add('add', { a: nothing, b: bias }) : nothing;
    }
    const turned = overLastAxes('layerNormalization', inputs, axes, options, rewriter);
    if (turned || Boolean(scale) === Boolean(bias)) return turned;
    const size = axes.map((axis) => shape[axis]!);
    const filled = (value: number) =>
      rewriter.constant(dataType, size, new Array<number>(elementCount(size)).fill(value));
    return rewriter.add('layerNormalization', { input, scale: scale ?? filled(1), bias: bias ?? filled(0) }, options);
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 8 * elementCount(shape) }),
});
