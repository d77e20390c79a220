import epilogueParts from '../../shaders/lib/epilogue.wgsl';
import operands from '../../shaders/lib/integer.wgsl';
import reducer from '../../shaders/lib/reducer_integer.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { part } from '../gpu/wgsl.ts';
import { elementCount, formatShape, type TensorDescriptor } from '../tensor/types.ts';
import { type Conv2dOptions, geometry } from './conv2d.ts';
import { type Candidate, defineOp, type Inputs, opError, SCALES } from './define.ts';
import type { Activation } from './elementwise.ts';
import { type Epilogue, epilogueOf, epiloguePorts, type Gemm, gemmCandidates, type IntegerModules } from './gemm.ts';
import { checkEpilogue, EPILOGUE_OPERANDS } from './matmul.ts';
import { DENSE } from './weights.ts';
import { WINDOW_OPTIONS } from './window.ts';

/*
 * Products of int8 by int8, summed in int32: exact while K is less than 2^31 / 2^14 = 131 072. Without `scales` the output is the sums,
 * int32, as of ONNX' MatMulInteger and ConvInteger. With them it is float32: activation(sum * left scale * scale + bias + residual).
 * The kernels are those of float products, with other ports.
 */

/** The scale of the left operand: [1], or one a row. */
const SCALE = { types: ['float32'], optional: true } as const;
const INT8 = ['int8'] as const;

/** Checks the scales; the output is int32 where there are no scales. */
function outputOf(
  op: string,
  inputs: Inputs,
  shape: readonly number[],
  scaleName: string,
  activation: Activation | undefined,
): TensorDescriptor {
  const { scales, bias, residual, affine } = inputs;
  const own = inputs[scaleName];
  if (!scales && (own || bias || residual || activation || affine))
    throw opError('invalid-argument', op, `without scales the output is int32, and takes nothing further`);
  if (!scales) return { dataType: 'int32', shape };
  if (!own) throw opError('invalid-argument', op, `the operand '${scaleName}' is missing`);
  const { shape: given } = own;
  const rows = elementCount(shape) / shape.at(-1)!;
  const counts = op === 'matmulInteger' ? [1, rows] : [1];
  if (!counts.includes(elementCount(given)))
    throw opError(
      'wrong-shape',
      op,
      `${scaleName} is ${formatShape(given)}, expected ${[...new Set(counts)].join(' or ')} numbers`,
    );
  const output: TensorDescriptor = { dataType: 'float32', shape };
  checkEpilogue(op, inputs, output, shape.at(-1)!);
  return output;
}

function modules(
  inputs: Inputs,
  scaleName: string,
  epilogue: Epilogue,
  output: TensorDescriptor,
  { packedDot }: Caps,
): IntegerModules {
  const scaled = inputs['scales'] !== undefined;
  const perRow = scaled && elementCount(inputs[scaleName]!.shape) > 1;
  const form = !scaled ? 'int32' : perRow && elementCount(output.shape) > output.shape.at(-1)! ? 'row' : 'tensor';
  const product = packedDot ? 'packed' : 'shifts';
  return {
    tags: [...(scaled ? [] : ['int32']), ...(form === 'row' ? ['rows'] : []), ...(packedDot ? [] : ['shifts'])],
    operands: (unit, output) => part(operands, unit, product, form, ...(scaled ? [] : [`int32_${output}`])),
    epilogue: (output) =>
      scaled
        ? epiloguePorts(epilogue, 'integer', output, 'product')
        : { ports: [part(epilogueParts, 'product')], constants: {} },
    reducer,
  };
}

interface MatmulIntegerOptions {
  activation?: Activation;
}

/** matmulInteger: a int8 [..., M, K], b int8 [N, K], aScale of one number or one a row, scales [N]. */
export const matmulInteger = defineOp<MatmulIntegerOptions>({
  name: 'matmulInteger',
  operands: {
    a: { types: INT8, rank: [2, Number.POSITIVE_INFINITY] },
    b: { types: INT8, rank: [2, 2] },
    aScale: SCALE,
    ...EPILOGUE_OPERANDS,
  },
  options: ['activation'],
  values: (name) => (name === 'scales' || name === 'aScale' ? SCALES : undefined),
  infer(inputs, { activation }) {
    const [a, b] = [inputs['a']!, inputs['b']!];
    if (a.shape.at(-1) !== b.shape[1])
      throw opError(
        'wrong-shape',
        'matmulInteger',
        `a is ${formatShape(a.shape)}, b ${formatShape(b.shape)}, expected [..., M, K] and [N, K]`,
      );
    const shape = [...a.shape.slice(0, -1), b.shape[0]!];
    return outputOf('matmulInteger', inputs, shape, 'aScale', activation);
  },
  candidates(inputs, { activation }, output, caps) {
    const [n, k] = inputs['b']!.shape as [number, number];
    const m = elementCount(output.shape) / n;
    const epilogue = epilogueOf(inputs, activation);
    const product: Gemm = {
      op: 'matmulInteger',
      m,
      n,
      k,
      taps: 1,
      batches: 1,
      lda: k,
      ldb: k,
      ldc: n,
      aBatch: 0,
      bBatch: 0,
      cBatch: 0,
      columnBatch: 0,
      dataType: 'float32',
      weights: DENSE,
      layout: 'nk',
      ...epilogue,
      integer: modules(inputs, 'aScale', epilogue, output, caps),
    }; // prettier-ignore
    return gemmCandidates(product, caps, {});
  },
  cost(inputs, _options, { shape }) {
    const macs = elementCount(shape) * inputs['b']!.shape[1]!;
    return { macs, flops: 2 * macs };
  },
});

type Conv2dIntegerOptions = Omit<Conv2dOptions, 'inputLayout' | 'filterLayout'>;

const LAYOUTS = { inputLayout: 'nhwc', filterLayout: 'ohwi' } as const;

/** conv2dInteger: input int8 (nhwc), filter int8 (ohwi), inputScale of one number, scales by output channel. */
export const conv2dInteger = defineOp<Conv2dIntegerOptions>({
  name: 'conv2dInteger',
  operands: {
    input: { types: INT8, rank: [4, 4] },
    filter: { types: INT8, rank: [4, 4] },
    inputScale: SCALE,
    ...EPILOGUE_OPERANDS,
  },
  options: [...WINDOW_OPTIONS, 'groups', 'activation'],
  values: (name) => (name === 'scales' || name === 'inputScale' ? SCALES : undefined),
  infer(inputs, options) {
    const { image, o, out } = geometry(inputs, { ...options, ...LAYOUTS });
    return outputOf('conv2dInteger', inputs, [image.n, out.h, out.w, o], 'inputScale', options.activation);
  },
  candidates(inputs, options, output, caps): Candidate[] {
    const { image, o, i, kh, kw, groups, out } = geometry(inputs, { ...options, ...LAYOUTS });
    const epilogue = epilogueOf(inputs, options.activation);
    const unpadded = (options.padding ?? []).every((p) => p === 0);
    const pointwise = kh * kw === 1 && elementCount(options.strides ?? []) === 1 && unpadded;
    // As in conv2d: without padding, a row of the filter is one tap.
    const byRows = unpadded && groups === 1 && (options.dilations?.[1] ?? 1) === 1;
    const n = o / groups;
    const grouped = (step: number): number => (groups > 1 ? step : 0);
    const product: Gemm = {
      op: 'conv2dInteger',
      m: image.n * out.h * out.w,
      n,
      k: byRows ? kw * i : i,
      taps: byRows ? kh : kh * kw,
      batches: groups,
      lda: image.c,
      ldb: kh * kw * i,
      ldc: o,
      aBatch: grouped(i),
      bBatch: grouped(n * kh * kw * i),
      cBatch: grouped(n),
      columnBatch: grouped(n),
      dataType: 'float32',
      weights: DENSE,
      layout: 'nk',
      ...epilogue,
      integer: modules(inputs, 'inputScale', epilogue, output, caps),
      ...(pointwise ? {} : { window: byRows ? { ...out.params, kernel_w: 1 } : out.params }),
    }; // prettier-ignore
    return gemmCandidates(product, caps, { a: 'input', b: 'filter', aScale: 'inputScale' });
  },
  cost(inputs, options, { shape }) {
    const { i, kh, kw } = geometry(inputs, { ...options, ...LAYOUTS });
    const macs = elementCount(shape) * i * kh * kw;
    return { macs, flops: 2 * macs };
  },
});
