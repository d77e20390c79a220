import { TilewrightError } from '../errors.ts';
import type { AttentionOptions } from '../ops/attention.ts';
import type { Conv2dOptions } from '../ops/conv2d.ts';
import type { Shape } from '../ops/define.ts';
import type { PadMode } from '../ops/movement.ts';
import type { Pool2dOptions } from '../ops/pool2d.ts';
import type { ImageLayout } from '../ops/window.ts';
import { toDataType } from '../tensor/convert.ts';
import type { TensorSource } from '../tensor/source.ts';
import { type DataType, elementCount, formatShape, type TensorData, type TensorDescriptor } from '../tensor/types.ts';
import { type Graph, leaf, type Operand, operand } from './ir.ts';

/** Every option of WebNN's operators may carry a label, which errors and the profile name. */
interface Labelled {
  label?: string;
}

type Unary = (input: Operand, options?: Labelled) => Operand;
type Binary = (a: Operand, b: Operand, options?: Labelled) => Operand;
type Reduce = (input: Operand, options?: { axes?: readonly number[]; keepDimensions?: boolean } & Labelled) => Operand;

function call(
  op: string,
  inputs: Record<string, Operand | undefined>,
  { label, ...options }: Labelled & Record<string, unknown> = {},
): Operand {
  return operand(op, inputs, options, label);
}

const unary =
  (op: string): Unary =>
  (input, options) =>
    call(op, { input }, { ...options });
const binary =
  (op: string): Binary =>
  (a, b, options) =>
    call(op, { a, b }, { ...options });
const reduce =
  (op: string): Reduce =>
  (input, options) =>
    call(op, { input }, { ...options });

/**
 * Builds graphs under the names, arguments and semantics of WebNN's MLGraphBuilder; what WebNN lacks (attention,
 * scatterRows, sample, states) is named after ONNX. Shapes are checked as the graph is built: a mistake throws where it is made,
 * with the numbers in the message.
 */
export class GraphBuilder {
  readonly #states = new Map<string, Operand>();

  /** A tensor that is given at every run. */
  input(name: string, descriptor: TensorDescriptor): Operand {
    return leaf('input', descriptor, { name });
  }

  /** A tensor that lives on the device from run to run: a KV cache. Zero at first. */
  state(name: string, descriptor: TensorDescriptor): Operand {
    const known = this.#states.get(name);
    if (known) return known;
    const state = leaf('state', descriptor, { name });
    this.#states.set(name, state);
    return state;
  }

  /** Numbers that no run changes, from an array or from a tensor of a file; float16 and bfloat16 tensors widen on the GPU. */
  constant(descriptor: TensorDescriptor, data: TensorData): Operand;
  constant(source: TensorSource): Operand;
  constant(first: TensorDescriptor | TensorSource, data?: TensorData): Operand {
    if (data) {
      const { dataType, shape } = first as TensorDescriptor;
      if (data.length !== elementCount(shape)) {
        throw new TilewrightError(
          'wrong-shape',
          `constant: ${formatShape(shape)} has ${elementCount(shape)} elements, the array ${data.length}`,
        );
      }
      return leaf('constant', { dataType, shape }, { data });
    }
    const source = first as TensorSource;
    const { name, storedType, shape } = source;
    if (storedType === 'BF16' || storedType === 'F16') {
      const bits = leaf(
        'constant',
        { dataType: 'uint32', shape: [Math.ceil(elementCount(shape) / 2)] },
        { source },
        name,
      );
      return operand(
        'widen',
        { input: bits },
        { from: storedType === 'F16' ? 'float16' : 'bfloat16', newShape: shape },
        name,
      );
    }
    return leaf('constant', { dataType: toDataType(storedType), shape }, { source }, name);
  }

  matmul(a: Operand, b: Operand, options: { transposeB?: boolean } & Labelled = {}): Operand {
    return call('matmul', { a, b }, { ...options });
  }

  gemm(
    a: Operand,
    b: Operand,
    {
      c,
      ...options
    }: { c?: Operand; alpha?: number; beta?: number; aTranspose?: boolean; bTranspose?: boolean } & Labelled = {},
  ): Operand {
    return call('gemm', { a, b, c }, options);
  }

  conv2d(
    input: Operand,
    filter: Operand,
    { bias, ...options }: { bias?: Operand } & Omit<Conv2dOptions, 'activation'> & Labelled = {},
  ): Operand {
    return call('conv2d', { input, filter, bias }, options);
  }

  averagePool2d(input: Operand, options: Pool2dOptions & Labelled = {}): Operand {
    return call('averagePool2d', { input }, { ...options });
  }

  maxPool2d(input: Operand, options: Pool2dOptions & Labelled = {}): Operand {
    return call('maxPool2d', { input }, { ...options });
  }

  /** Along `axis`; along the last where none is given, as WebNN had it at first. */
  softmax(input: Operand, axis = -1, options: Labelled = {}): Operand {
    return call('softmax', { input }, { axis, ...options });
  }

  layerNormalization(
    input: Operand,
    {
      scale,
      bias,
      ...options
    }: { scale?: Operand; bias?: Operand; axes?: readonly number[]; epsilon?: number } & Labelled = {},
  ): Operand {
    return call('layerNormalization', { input, scale, bias }, options);
  }

  batchNormalization(
    input: Operand,
    mean: Operand,
    variance: Operand,
    { scale, bias, ...options }: { scale?: Operand; bias?: Operand; axis?: number; epsilon?: number } & Labelled = {},
  ): Operand {
    return call('batchNormalization', { input, mean, variance, scale, bias }, options);
  }

  instanceNormalization(
    input: Operand,
    {
      scale,
      bias,
      ...options
    }: { scale?: Operand; bias?: Operand; epsilon?: number; layout?: ImageLayout } & Labelled = {},
  ): Operand {
    return call('instanceNormalization', { input, scale, bias }, options);
  }

  /** Multi-head attention; see AttentionOptions for how heads and rows lie. */
  attention(
    query: Operand,
    key: Operand,
    value: Operand,
    { positions, ...options }: AttentionOptions & { positions?: Operand } & Labelled,
  ): Operand {
    return call('attention', { query, key, value, positions }, options);
  }

  /** Writes columns `column`.. of each row of `updates` to row `positions[t]` of a state, and returns the state as it is then. */
  scatterRows(
    state: Operand,
    updates: Operand,
    positions: Operand,
    options: { column?: number } & Labelled = {},
  ): Operand {
    return call('scatterRows', { state, updates, positions }, { ...options });
  }

  readonly add = binary('add');
  readonly sub = binary('sub');
  readonly mul = binary('mul');
  readonly div = binary('div');
  readonly max = binary('max');
  readonly min = binary('min');
  readonly pow = binary('pow');
  readonly equal = binary('equal');
  readonly notEqual = binary('notEqual');
  readonly greater = binary('greater');
  readonly greaterOrEqual = binary('greaterOrEqual');
  readonly lesser = binary('lesser');
  readonly lesserOrEqual = binary('lesserOrEqual');
  readonly logicalAnd = binary('logicalAnd');
  readonly logicalOr = binary('logicalOr');
  readonly logicalXor = binary('logicalXor');

  readonly identity = unary('identity');
  readonly abs = unary('abs');
  readonly neg = unary('neg');
  readonly sign = unary('sign');
  readonly ceil = unary('ceil');
  readonly floor = unary('floor');
  readonly reciprocal = unary('reciprocal');
  readonly sqrt = unary('sqrt');
  readonly exp = unary('exp');
  readonly log = unary('log');
  readonly sin = unary('sin');
  readonly cos = unary('cos');
  readonly tan = unary('tan');
  readonly tanh = unary('tanh');
  readonly erf = unary('erf');
  readonly sigmoid = unary('sigmoid');
  readonly relu = unary('relu');
  readonly softplus = unary('softplus');
  readonly softsign = unary('softsign');
  readonly hardSwish = unary('hardSwish');
  readonly logicalNot = unary('logicalNot');

  /** gelu by the error function; `approximate: 'tanh'` (ONNX) is GPT-2's. */
  gelu(input: Operand, { approximate, ...options }: { approximate?: 'none' | 'tanh' } & Labelled = {}): Operand {
    return call(approximate === 'tanh' ? 'gelu_tanh' : 'gelu', { input }, options);
  }

  clamp(
    input: Operand,
    { minValue, maxValue, ...options }: { minValue?: number; maxValue?: number } & Labelled = {},
  ): Operand {
    return call(
      'clamp',
      { input },
      {
        ...options,
        ...(minValue !== undefined && { alpha: minValue }),
        ...(maxValue !== undefined && { beta: maxValue }),
      },
    );
  }

  elu(input: Operand, options: { alpha?: number } & Labelled = {}): Operand {
    return call('elu', { input }, { ...options });
  }

  leakyRelu(input: Operand, options: { alpha?: number } & Labelled = {}): Operand {
    return call('leakyRelu', { input }, { ...options });
  }

  hardSigmoid(input: Operand, options: { alpha?: number; beta?: number } & Labelled = {}): Operand {
    return call('hardSigmoid', { input }, { ...options });
  }

  linear(input: Operand, options: { alpha?: number; beta?: number } & Labelled = {}): Operand {
    return call('linear', { input }, { ...options });
  }

  prelu(input: Operand, slope: Operand, options: Labelled = {}): Operand {
    return call('prelu', { input, slope }, { ...options });
  }

  where(condition: Operand, trueValue: Operand, falseValue: Operand, options: Labelled = {}): Operand {
    return call('where', { condition, trueValue, falseValue }, { ...options });
  }

  cast(input: Operand, type: DataType, options: Labelled = {}): Operand {
    return call('cast', { input }, { to: type, ...options });
  }

  /** Integers of the type of zeroPoint, or of `dataType` where there is none, which WebNN does not have. */
  quantizeLinear(
    input: Operand,
    scale: Operand,
    zeroPoint?: Operand,
    options: { dataType?: DataType } & Labelled = {},
  ): Operand {
    return call('quantizeLinear', { input, scale, zeroPoint }, { ...options });
  }

  dequantizeLinear(input: Operand, scale: Operand, zeroPoint?: Operand, options: Labelled = {}): Operand {
    return call('dequantizeLinear', { input, scale, zeroPoint }, { ...options });
  }

  readonly reduceSum = reduce('reduceSum');
  readonly reduceMean = reduce('reduceMean');
  readonly reduceMax = reduce('reduceMax');
  readonly reduceMin = reduce('reduceMin');
  readonly reduceProduct = reduce('reduceProduct');
  readonly reduceL1 = reduce('reduceL1');
  readonly reduceL2 = reduce('reduceL2');
  readonly reduceSumSquare = reduce('reduceSumSquare');
  readonly reduceLogSum = reduce('reduceLogSum');
  readonly reduceLogSumExp = reduce('reduceLogSumExp');

  argMax(input: Operand, axis: number, options: { keepDimensions?: boolean } & Labelled = {}): Operand {
    return call('argMax', { input }, { axis, ...options });
  }

  argMin(input: Operand, axis: number, options: { keepDimensions?: boolean } & Labelled = {}): Operand {
    return call('argMin', { input }, { axis, ...options });
  }

  /** Draws an index for each line of logits, by its settings: temperature, top-k, top-p and a random number (ops/sample.ts). */
  sample(logits: Operand, settings: Operand, options: Labelled = {}): Operand {
    return call('sample', { logits, settings }, { ...options });
  }

  gather(input: Operand, indices: Operand, options: { axis?: number } & Labelled = {}): Operand {
    return call('gather', { input, indices }, { ...options });
  }

  transpose(input: Operand, options: { permutation?: readonly number[] } & Labelled = {}): Operand {
    return call('transpose', { input }, { ...options });
  }

  reshape(input: Operand, newShape: Shape, options: Labelled = {}): Operand {
    return call('reshape', { input }, { newShape, ...options });
  }

  expand(input: Operand, newShape: Shape, options: Labelled = {}): Operand {
    return call('expand', { input }, { newShape, ...options });
  }

  slice(
    input: Operand,
    starts: readonly number[],
    sizes: readonly number[],
    options: { strides?: readonly number[] } & Labelled = {},
  ): Operand {
    return call('slice', { input }, { starts, sizes, ...options });
  }

  reverse(input: Operand, options: { axes?: readonly number[] } & Labelled = {}): Operand {
    return call('reverse', { input }, { ...options });
  }

  pad(
    input: Operand,
    beginningPadding: readonly number[],
    endingPadding: readonly number[],
    options: { mode?: PadMode; value?: number } & Labelled = {},
  ): Operand {
    return call('pad', { input }, { beginningPadding, endingPadding, ...options });
  }

  concat(inputs: readonly Operand[], axis: number, options: Labelled = {}): Operand {
    if (!inputs.length) throw new TilewrightError('invalid-argument', 'concat: no inputs');
    return inputs.reduce((input, other) => call('concat', { input, other }, { axis, ...options }));
  }

  /** Slices of `axis`: as many as the number says, or of the sizes given. */
  split(
    input: Operand,
    splits: number | readonly number[],
    { axis = 0, ...options }: { axis?: number } & Labelled = {},
  ): Operand[] {
    const extent = input.shape[axis];
    if (extent === undefined)
      throw new TilewrightError(
        'invalid-argument',
        `split: axis ${axis} is not an axis of ${formatShape(input.shape)}`,
      );
    const list = typeof splits === 'number' ? new Array<number>(splits).fill(extent / splits) : splits;
    if (list.reduce((a, b) => a + b, 0) !== extent || !list.every(Number.isInteger)) {
      throw new TilewrightError(
        'invalid-argument',
        `split: [${list.join(',')}] does not divide the ${extent} of axis ${axis}`,
      );
    }
    let start = 0;
    return list.map((size) => {
      const starts = input.shape.map((_, d) => (d === axis ? start : 0));
      start += size;
      return this.slice(
        input,
        starts,
        input.shape.map((whole, d) => (d === axis ? size : whole)),
        options,
      );
    });
  }

  /** The graph that computes these outputs. */
  outputs(outputs: Readonly<Record<string, Operand>>): Graph {
    return { outputs };
  }
}
