import kernel from '../../shaders/layer_normalization.wgsl';
import affine from '../../shaders/lib/affine.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import store from '../../shaders/lib/store.wgsl';
import { part } from '../gpu/wgsl.ts';
import { elementCount, formatShape, sameShape } from '../tensor/types.ts';
import {
  AS_INPUT,
  defineOp,
  ELEM,
  FLOAT,
  type Inputs,
  type Labelled,
  needAxis,
  type Operand,
  opError,
} from './define.ts';
import { lineForms } from './lines.ts';

interface LayerNormalizationOptions {
  axes?: readonly number[];
  epsilon?: number;
}

function axesOf({ input }: Inputs, { axes }: LayerNormalizationOptions): number[] {
  const rank = input!.shape.length;
  return (axes ?? input!.shape.map((_, d) => d).slice(1)).map((axis) => needAxis('layerNormalization', axis, rank));
}

const trailing = (axes: readonly number[], rank: number): boolean =>
  axes.every((axis, i) => axis === rank - axes.length + i);

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
    const input = inputs['input']!;
    const axes = axesOf(inputs, options);
    if (new Set(axes).size !== axes.length)
      throw opError('invalid-argument', 'layerNormalization', `axes [${axes.join(',')}] repeat`);
    const expected = axes.map((axis) => input.shape[axis]!);
    for (const name of ['scale', 'bias'] as const) {
      const operand = inputs[name];
      if (operand && !sameShape(operand.shape, expected)) {
        throw opError(
          'wrong-shape',
          'layerNormalization',
          `${name} is ${formatShape(operand.shape)}, expected ${formatShape(expected)}`,
        );
      }
    }
    return input;
  },
  candidates(inputs, options, { dataType, shape }, caps) {
    const axes = axesOf(inputs, options);
    const size = axes.reduce((product, axis) => product * shape[axis]!, 1);
    const lines = elementCount(shape) / size;
    const unit = size % 4 === 0 ? 'vec4' : 'ragged';
    const type = ELEM[dataType]!;
    const scaled = inputs['scale'] ? unit : 'none';
    return lineForms(lines, size, caps).map(({ tag, ports, constants, grid }) => ({
      label: `layerNormalization[${type},${unit === 'ragged' ? 'ragged,' : ''}${tag}]`,
      variant: {
        kernel,
        ports: [part(elem, type), part(operandA, unit), part(store, unit), part(affine, scaled), ...ports],
        constants,
      },
      params: { lines, size, epsilon: options.epsilon ?? 1e-5 },
      grid,
      bind: { a: 'input' },
    }));
  },
  decompose(inputs, options, rewriter) {
    const { input, scale, bias } = inputs;
    const axes = axesOf(inputs, options);
    const { shape, dataType } = input!;
    const rank = shape.length;
    if (axes.length === 0) {
      // The mean of one element is the element: x - mean is 0, and the bias is left.
      const nothing = rewriter.add('sub', { a: input, b: input });
      return bias ? rewriter.add('add', { a: nothing, b: bias }) : nothing;
    }
    if (!trailing(axes, rank)) {
      const others = shape.map((_, d) => d).filter((d) => !axes.includes(d));
      const permutation = [...others, ...axes];
      const inside = rewriter.add('transpose', { input }, { permutation });
      const last = axes.map((_, i) => others.length + i);
      const result = rewriter.add('layerNormalization', { input: inside, scale, bias }, { ...options, axes: last });
      return rewriter.add(
        'transpose',
        { input: result },
        { permutation: permutation.map((_, d) => permutation.indexOf(d)) },
      );
    }
    if (Boolean(scale) === Boolean(bias)) return undefined;
    const size = axes.map((axis) => shape[axis]!);
    const filled = (value: number) =>
      rewriter.constant(dataType, size, new Array<number>(elementCount(size)).fill(value));
    return rewriter.add('layerNormalization', { input, scale: scale ?? filled(1), bias: bias ?? filled(0) }, options);
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 8 * elementCount(shape) }),
});
