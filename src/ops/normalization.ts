import kernel from '../../shaders/layer_normalization.wgsl';
import affine from '../../shaders/lib/affine.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import operandA from '../../shaders/lib/operand_a.wgsl';
import store from '../../shaders/lib/store.wgsl';
import { part } from '../gpu/wgsl.ts';
import { elementCount, formatShape, sameShape, type TensorDescriptor } from '../tensor/types.ts';
import {
  defineOp,
  ELEM,
  type Inputs,
  need,
  needAxis,
  needFloat,
  needSameType,
  opError,
  type Rewriter,
} from './define.ts';
import { lineForms } from './lines.ts';
import type { ImageLayout } from './window.ts';

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

/** layerNormalization: (x - mean) / sqrt(variance + epsilon) * scale + bias, statistics over `axes` (all but the first). */
export const layerNormalization = defineOp<LayerNormalizationOptions>({
  name: 'layerNormalization',
  infer(inputs, options) {
    const input = need(inputs, 'input', 'layerNormalization');
    needFloat('layerNormalization', 'input', input);
    needSameType('layerNormalization', inputs, ['input', 'scale', 'bias']);
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
    const { input, scale, bias } = inputs as Record<'input' | 'scale' | 'bias', (typeof inputs)[string] | undefined>;
    const axes = axesOf(inputs, options);
    const { shape, dataType } = input!;
    const rank = shape.length;
    if (axes.length === 0) {
      // The mean of one element is itself: nothing is left but the bias.
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

interface BatchNormalizationOptions {
  axis?: number;
  epsilon?: number;
}

/** scale / sqrt(variance + epsilon): what a batch normalisation multiplies each channel by. */
export function batchNormFactor<T extends TensorDescriptor>(
  inputs: Readonly<Record<string, T>>,
  epsilon: number,
  rewriter: Rewriter<T>,
): T {
  const { variance, scale } = inputs as Record<'variance' | 'scale', T>;
  const deviation = rewriter.add('sqrt', {
    input: rewriter.add('linear', { input: variance }, { alpha: 1, beta: epsilon }),
  });
  return scale ? rewriter.add('div', { a: scale, b: deviation }) : rewriter.add('reciprocal', { input: deviation });
}

/** batchNormalization: (x - mean) / sqrt(variance + epsilon) * scale + bias, per channel of `axis`. Folded into a convolution before it. */
export const batchNormalization = defineOp<BatchNormalizationOptions>({
  name: 'batchNormalization',
  infer(inputs, { axis = 1 }) {
    const input = need(inputs, 'input', 'batchNormalization');
    needFloat('batchNormalization', 'input', input);
    needSameType('batchNormalization', inputs, ['input', 'mean', 'variance', 'scale', 'bias']);
    const channels = input.shape[needAxis('batchNormalization', axis, input.shape.length)]!;
    for (const name of ['mean', 'variance', 'scale', 'bias']) {
      const operand = name === 'mean' || name === 'variance' ? need(inputs, name, 'batchNormalization') : inputs[name];
      if (operand && !sameShape(operand.shape, [channels])) {
        throw opError(
          'wrong-shape',
          'batchNormalization',
          `${name} is ${formatShape(operand.shape)}, expected [${channels}]`,
        );
      }
    }
    return input;
  },
  decompose(inputs, { axis = 1, epsilon = 1e-5 }, rewriter) {
    const input = inputs['input']!;
    const rank = input.shape.length;
    const at = needAxis('batchNormalization', axis, rank);
    const newShape = input.shape.map((size, d) => (d === at ? size : 1));
    const spread = (operand: typeof input) =>
      at === rank - 1 ? operand : rewriter.add('reshape', { input: operand }, { newShape });
    // The mean goes first: factor * x - factor * mean would lose the digits that the two share.
    const centred = rewriter.add('sub', { a: input, b: spread(inputs['mean']!) });
    const scaled = rewriter.add('mul', { a: centred, b: spread(batchNormFactor(inputs, epsilon, rewriter)) });
    return inputs['bias'] ? rewriter.add('add', { a: scaled, b: spread(inputs['bias']) }) : scaled;
  },
});

interface InstanceNormalizationOptions {
  epsilon?: number;
  layout?: ImageLayout;
}

/** instanceNormalization: a layer normalisation of every channel of every image over its pixels, then scale and bias per channel. */
export const instanceNormalization = defineOp<InstanceNormalizationOptions>({
  name: 'instanceNormalization',
  infer(inputs, { layout = 'nchw' }) {
    const input = need(inputs, 'input', 'instanceNormalization');
    needFloat('instanceNormalization', 'input', input);
    needSameType('instanceNormalization', inputs, ['input', 'scale', 'bias']);
    if (input.shape.length !== 4)
      throw opError('wrong-shape', 'instanceNormalization', `input needs rank 4, got ${formatShape(input.shape)}`);
    const channels = input.shape[layout === 'nchw' ? 1 : 3]!;
    for (const name of ['scale', 'bias']) {
      const operand = inputs[name];
      if (operand && !sameShape(operand.shape, [channels])) {
        throw opError(
          'wrong-shape',
          'instanceNormalization',
          `${name} is ${formatShape(operand.shape)}, expected [${channels}]`,
        );
      }
    }
    return input;
  },
  decompose(inputs, { epsilon, layout = 'nchw' }, rewriter) {
    const axes = layout === 'nchw' ? [2, 3] : [1, 2];
    const spread = (operand: (typeof inputs)[string]) =>
      layout === 'nhwc'
        ? operand
        : rewriter.add('reshape', { input: operand }, { newShape: [elementCount(operand.shape), 1, 1] });
    let result = rewriter.add('layerNormalization', { input: inputs['input'] }, { axes, epsilon });
    if (inputs['scale']) result = rewriter.add('mul', { a: result, b: spread(inputs['scale']) });
    if (inputs['bias']) result = rewriter.add('add', { a: result, b: spread(inputs['bias']) });
    return result;
  },
});
