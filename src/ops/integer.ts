import epilogueParts from '../../shaders/lib/epilogue.wgsl';
import operands from '../../shaders/lib/integer.wgsl';
import reducer from '../../shaders/lib/reducer_integer.wgsl';
import type { Caps } from '../gpu/gpu.ts';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, formatShape, sameShape, type TensorDescriptor } from '../tensor/types.ts';
import { type Conv2dOptions, geometry } from './conv2d.ts';
import { type Candidate, defineOp, type Inputs, opError, SCALES } from './define.ts';
import type { Activation } from './elementwise.ts';
import { type Epilogue, epilogueOf, epiloguePorts } from './epilogue.ts';
import { type Gemm, gemmCandidates, type IntegerModules } from './gemm.ts';
import { checkEpilogue, EPILOGUE_OPERANDS } from './matmul.ts';
import { DENSE } from './weights.ts';
import { WINDOW_OPTIONS } from './window.ts';

/*
 * Products of int8 by int8, summed in int32: exact while K is less than 2^31 / 2^14 = 131 072. An operand may be uint8, which is
 * taken less 128: x - 128 is int8. What an image is padded with is 0 all the same. Without `scales` the output is the sums,
 * int32, as of ONNX' MatMulInteger and ConvInteger. With them it is float32: activation(sum * left scale * scale + bias + residual).
 * The kernels are those of float products, with other ports.
 */

/** The scale of the left operand: [1], or one a row. */
const SCALE = { types: ['float32'], optional: true } as const;
const BYTES = ['int8', 'uint8'] as const;

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

/** Taken from bytes that are read: the highest bits of uint8. */
const signs = ({ dataType }: TensorDescriptor): string => u32(dataType === 'uint8' ? 0x80808080 : 0);

function modules(
  inputs: Inputs,
  [left, right, scaleName]: readonly [string, string, string],
  epilogue: Epilogue,
  output: TensorDescriptor,
  { packedDot }: Caps,
): IntegerModules {
  const scaled = inputs['scales'] !== undefined;
  const perRow = scaled && elementCount(inputs[scaleName]!.shape) > 1;
  const form = !scaled ? 'int32' : perRow && elementCount(output.shape) > output.shape.at(-1)! ? 'row' : 'tensor';
  const product = packedDot ? 'packed' : 'shifts';
  const [a, b] = [inputs[left]!, inputs[right]!];
  const types = [a, b].map(({ dataType }) => (dataType === 'uint8' ? 'u8' : 's8')).join('');
  const constants = { A_SIGNS: signs(a), B_SIGNS: signs(b) };
  return {
    tags: [
      ...(types === 's8s8' ? [] : [types]),
      ...(scaled ? [] : ['int32']),
      ...(form === 'row' ? ['rows'] : []),
      ...(packedDot ? [] : ['shifts']),
    ],
    operands: (unit, output) => part(operands, unit, product, form, ...(scaled ? [] : [`int32_${output}`])),
    epilogue: (output) => {
      const made = scaled
        ? epiloguePorts(epilogue, 'integer', output, 'product')
        : { ports: [part(epilogueParts, 'product')], constants: {} };
      return { ports: made.ports, constants: { ...made.constants, ...constants } };
    },
    reducer,
  };
}

interface MatmulIntegerOptions {
  activation?: Activation;
}

/**
 * matmulInteger: a [..., M, K], b [N, K], aScale of one number or one a row, scales [N]. Without scales b may be a matrix for each of a,
 * [..., N, K].
 */
export const matmulInteger = defineOp<MatmulIntegerOptions>({
  name: 'matmulInteger',
  operands: {
    a: { types: BYTES, rank: [2, Number.POSITIVE_INFINITY] },
    b: { types: BYTES, rank: [2, Number.POSITIVE_INFINITY] },
    aScale: SCALE,
    ...EPILOGUE_OPERANDS,
  },
  options: ['activation'],
  values: (name) => (name === 'scales' || name === 'aScale' ? SCALES : undefined),
  infer(inputs, { activation }) {
    const [a, b] = [inputs['a']!, inputs['b']!];
    const batched = b.shape.length > 2;
    const alike = !batched || (!inputs['scales'] && sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2)));
    if (a.shape.at(-1) !== b.shape.at(-1) || !alike)
      throw opError(
        'wrong-shape',
        'matmulInteger',
        `a is ${formatShape(a.shape)}, b ${formatShape(b.shape)}, expected [..., M, K] and [N, K], or without scales [..., N, K]`,
      );
    const shape = [...a.shape.slice(0, -1), b.shape.at(-2)!];
    return outputOf('matmulInteger', inputs, shape, 'aScale', activation);
  },
  candidates(inputs, { activation }, output, caps) {
    const { shape } = inputs['b']!;
    const [n, k] = shape.slice(-2) as [number, number];
    const batches = elementCount(shape.slice(0, -2));
    const m = elementCount(output.shape) / n / batches;
    const apart = (step: number): number => (batches > 1 ? step : 0);
    const epilogue = epilogueOf(inputs, activation);
    const product: Gemm = {
      op: 'matmulInteger',
      m,
      n,
      k,
      taps: 1,
      batches,
      lda: k,
      ldb: k,
      ldc: n,
      aBatch: apart(m * k),
      bBatch: apart(n * k),
      cBatch: apart(m * n),
      columnBatch: 0,
      dataType: 'float32',
      weights: DENSE,
      layout: 'nk',
      ...epilogue,
      integer: modules(inputs, ['a', 'b', 'aScale'], epilogue, output, caps),
    }; // prettier-ignore
    return gemmCandidates(product, caps, {});
  },
  cost(inputs, _options, { shape }) {
    const macs = elementCount(shape) * inputs['b']!.shape.at(-1)!;
    return { macs, flops: 2 * macs };
  },
});

type Conv2dIntegerOptions = Omit<Conv2dOptions, 'inputLayout' | 'filterLayout'>;

const LAYOUTS = { inputLayout: 'nhwc', filterLayout: 'ohwi' } as const;

/** conv2dInteger: input (nhwc), filter (ohwi), inputScale of one number, scales by output channel. */
export const conv2dInteger = defineOp<Conv2dIntegerOptions>({
  name: 'conv2dInteger',
  operands: {
    input: { types: BYTES, rank: [4, 4] },
    filter: { types: BYTES, rank: [4, 4] },
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
      integer: modules(inputs, ['input', 'filter', 'inputScale'], epilogue, output, caps),
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
