import {
  BYTES,
  broadcastShapes,
  elementCount,
  formatShape,
  formatTensor,
  sameShape,
  type TensorDescriptor,
} from '../tensor/types.ts';
import {
  defineOp,
  FLOATS,
  type Inputs,
  type Labelled,
  type Operand,
  opError,
  SCALES,
  type Shape,
  splitItems,
} from './define.ts';
import type { Activation } from './elementwise.ts';
import { epilogueOf } from './epilogue.ts';
import { type Gemm, gemmCandidates } from './gemm.ts';
import { weightsOf } from './weights.ts';

export interface MatmulOptions {
  /** b is [..., N, K]. */
  transposeB?: boolean;
  activation?: Activation;
  /** For one row, with `transposeB`: columns are two halves, and the activation of the first is a factor of the second (`glu`). */
  gated?: boolean;
  /** Of the normalisation by `norm`. 1e-5 where absent. */
  epsilon?: number;
}

interface Sizes {
  m: number;
  n: number;
  k: number;
  batch: number[];
}

function sizes({ a, b }: Inputs, { transposeB = false }: MatmulOptions): Sizes {
  const [x, y] = [a!.shape, b!.shape];
  const [m, k] = x.slice(-2) as [number, number];
  const [p, q] = y.slice(-2) as [number, number];
  const [inner, n] = transposeB ? [q, p] : [p, q];
  if (k !== inner)
    throw opError(
      'wrong-shape',
      'matmul',
      `a has ${k} columns, b has ${inner} rows (a ${formatShape(x)}, b ${formatShape(y)}${transposeB ? ' transposed' : ''})`,
    );
  return { m, n, k, batch: broadcastShapes('matmul', x.slice(0, -2), y.slice(0, -2)) };
}

/** Checks the operands of an epilogue against the output. The bias has `columns` elements. */
export function checkEpilogue(op: string, inputs: Inputs, output: TensorDescriptor, columns: number): void {
  const { bias, residual, affine } = inputs;
  if (bias && !sameShape(bias.shape, [columns]))
    throw opError('wrong-shape', op, `bias is ${formatShape(bias.shape)}, expected [${columns}]`);
  if (bias && bias.dataType !== output.dataType)
    throw opError('wrong-type', op, `bias is ${bias.dataType}, expected ${output.dataType}`);
  if (affine && !(sameShape(affine.shape, [2]) && affine.dataType === output.dataType))
    throw opError('wrong-shape', op, `affine is ${formatTensor(affine)}, expected ${output.dataType}[2]`);
  if (residual && !sameShape(residual.shape, output.shape)) {
    throw opError(
      'wrong-shape',
      op,
      `residual is ${formatShape(residual.shape)}, expected ${formatShape(output.shape)}`,
    );
  }
}

const leading = (shape: Shape): Shape => shape.slice(0, -2);

/** Operands of an epilogue: of the type of the output. */
export const EPILOGUE_OPERANDS = {
  scales: { types: ['float32'], optional: true },
  bias: { optional: true },
  residual: { optional: true },
  affine: { optional: true },
} as const;

const MATRIX: readonly [number, number] = [2, Number.POSITIVE_INFINITY];

/** The weights of a product: a single matrix. */
const weightOf = (b: TensorDescriptor, transposed: boolean) =>
  b.shape.length === 2
    ? {
        operand: 'b',
        channels: transposed ? 0 : 1,
        depth: transposed ? 1 : 0,
        groups: true,
        int4: true,
        fuses: true,
      }
    : undefined;

type Matmul = (a: Operand, b: Operand, options?: { transposeB?: boolean } & Labelled) => Operand;

/** What a product of one row can have beside an epilogue: its row normalised, its columns gated. */
function checkRow({ a, b, norm, residual, affine }: Inputs, { m, n, k }: Sizes, options: MatmulOptions): void {
  const { gated, transposeB, activation } = options;
  if (!norm && !gated) return;
  if (m !== 1 || elementCount(a!.shape) !== k || b!.shape.length !== 2)
    throw opError(
      'wrong-shape',
      'matmul',
      `norm and gated take one row by one matrix, got a ${formatShape(a!.shape)} and b ${formatShape(b!.shape)}`,
    );
  if (norm && !(sameShape(norm.shape, [k]) && norm.dataType === a!.dataType))
    throw opError('wrong-shape', 'matmul', `norm is ${formatTensor(norm)}, expected ${a!.dataType}[${k}]`);
  if (gated && !(transposeB && activation && n % 8 === 0 && !residual && !affine))
    throw opError(
      'invalid-argument',
      'matmul',
      `gated takes transposeB, an activation, a multiple of 8 columns and neither residual nor affine (b ${formatShape(b!.shape)})`,
    );
}

/**
 * matmul: output = activation(a · b + bias + residual) * affine[0] + affine[1]; a [..., M, K], b [..., K, N], leading dimensions
 * broadcast. Of one row: with `norm`, [K], a is normalised before, as `rmsNormalization` does it; where it is `gated`, the
 * output is [..., 1, N/2], as `glu` makes it.
 */
export const matmul = defineOp<MatmulOptions, Matmul>({
  name: 'matmul',
  operands: {
    a: { types: FLOATS, rank: MATRIX },
    b: { rank: MATRIX },
    ...EPILOGUE_OPERANDS,
    norm: { optional: true },
  },
  options: ['transposeB', 'activation', 'gated', 'epsilon'],
  epilogue: true,
  values: (name) => (name === 'scales' ? SCALES : undefined),
  weight: ({ b }, { transposeB = false }) => weightOf(b!, transposeB),
  integer: ({ b, norm }, { transposeB = false, ...options }) =>
    b!.shape.length === 2 && !norm && !options.gated
      ? {
          op: 'matmulInteger',
          left: 'a',
          weights: 'b',
          scale: 'aScale',
          rows: true,
          permutation: transposeB ? undefined : [1, 0],
          options,
        }
      : undefined,
  infer(inputs, options) {
    const a = inputs['a']!;
    const all = sizes(inputs, options);
    const { m, n, k, batch } = all;
    weightsOf('matmul', inputs, 'b', a.dataType, n, k);
    checkRow(inputs, all, options);
    const output = { dataType: a.dataType, shape: [...batch, m, options.gated ? n / 2 : n] };
    checkEpilogue('matmul', inputs, output, n);
    return output;
  },
  candidates(inputs, options, output, caps) {
    const { m, n, k, batch } = sizes(inputs, options);
    const [aBatches, bBatches] = [elementCount(leading(inputs['a']!.shape)), elementCount(leading(inputs['b']!.shape))];
    const all = elementCount(batch);
    // One b for all batches: the batches of a are rows of one product.
    const merged = bBatches === 1;
    const gemm: Gemm = {
      op: 'matmul',
      m: merged ? m * all : m,
      n,
      k,
      taps: 1,
      batches: merged ? 1 : all,
      lda: k,
      ldb: options.transposeB ? k : n,
      ldc: options.gated ? n / 2 : n,
      aBatch: merged || aBatches === 1 ? 0 : m * k,
      bBatch: merged ? 0 : k * n,
      cBatch: merged ? 0 : m * n,
      columnBatch: 0,
      dataType: output.dataType,
      weights: weightsOf('matmul', inputs, 'b', output.dataType, n, k),
      layout: options.transposeB ? 'nk' : 'kn',
      gated: options.gated,
      ...(inputs['norm'] && { epsilon: options.epsilon ?? 1e-5 }),
      ...epilogueOf(inputs, options.activation),
    }; // prettier-ignore
    return gemmCandidates(gemm, caps, {});
  },
  pieces(candidate, inputs, { transposeB = false, gated = false }, { shape }, limit) {
    const { b, scales, bias, residual } = inputs;
    const [n, k] = b!.shape as [number, number];
    const { b_batch: batched } = candidate.params as Record<string, number>;
    if (!transposeB || batched || residual || gated || elementCount(b!.shape) !== n * k) {
      throw opError(
        'wrong-shape',
        'matmul',
        `b ${formatShape(b!.shape)} can be cut only as a single [N,K] without a residual or a gate`,
      );
    }
    // Rows of b are columns of the output: a piece binds the output from its first column on.
    const bytes = {
      b: k * BYTES[b!.dataType],
      ...(scales && { scales: 4 * (elementCount(scales.shape) / n) }),
      ...(bias && { bias: BYTES[bias.dataType] }),
    };
    const element = BYTES[inputs['a']!.dataType];
    const whole = elementCount(shape) * element;
    return splitItems(
      n,
      bytes,
      limit,
      (_start, count) => ({ params: { ...candidate.params, n: count } }),
      candidate,
    ).map((piece) => {
      const offset = (piece.ranges!['b']!.offset / bytes.b) * element;
      return { ...piece, ranges: { ...piece.ranges, output: { offset, size: Math.ceil((whole - offset) / 4) * 4 } } };
    });
  },
  decompose(inputs, options, rewriter) {
    const { m, n, k, batch } = sizes(inputs, options);
    const { a, b } = inputs as Record<'a' | 'b', (typeof inputs)[string]>;
    if (k === 0)
      return rewriter.add('expand', { input: rewriter.constant(a.dataType, [], [0]) }, { newShape: [...batch, m, n] });
    if (elementCount([...batch, m, n]) === 0) return undefined;
    const spread = (operand: Shape): boolean =>
      elementCount(leading(operand)) === 1 || sameShape(leading(operand), batch);
    const full = (operand: Shape): boolean => elementCount(leading(operand)) === elementCount(batch);
    if (full(a.shape) && elementCount(leading(b.shape)) === 1) return undefined;
    if (spread(a.shape) && full(b.shape)) return undefined;
    const expanded = (operand: typeof a): typeof a =>
      full(operand.shape)
        ? operand
        : rewriter.add('expand', { input: operand }, { newShape: [...batch, ...operand.shape.slice(-2)] });
    return rewriter.add(
      'matmul',
      { ...inputs, a: expanded(a), b: elementCount(leading(b.shape)) === 1 ? b : expanded(b) },
      options,
    );
  },
  cost(inputs, options) {
    const { m, n, k, batch } = sizes(inputs, options);
    const macs = m * n * k * elementCount(batch);
    return { macs, flops: 2 * macs };
  },
});

/** alpha · A · B + beta · C. */
export interface GemmOptions {
  alpha?: number;
  beta?: number;
  aTranspose?: boolean;
  bTranspose?: boolean;
}

type GemmMethod = (a: Operand, b: Operand, options?: { c?: Operand } & GemmOptions & Labelled) => Operand;

/**
 * gemm: alpha * a' · b' + beta * c; c broadcasts to the output. c of a row becomes a bias, c of the output's shape a
 * residual.
 */
export const gemm = defineOp<GemmOptions, GemmMethod>({
  name: 'gemm',
  operands: { a: { types: FLOATS, rank: [2, 2] }, b: { as: 'a', rank: [2, 2] }, c: { as: 'a', optional: true } },
  options: ['alpha', 'beta', 'aTranspose', 'bTranspose'],
  // It decomposes: results between the ops are rounded to the type in memory.
  tolerance: { ulps: 4, roundings: 4 },
  weight: ({ b }, { bTranspose = false }) => weightOf(b!, bTranspose),
  infer(inputs, { aTranspose = false, bTranspose = false }) {
    const [a, b] = [inputs['a']!, inputs['b']!];
    const turned = aTranspose ? { ...a, shape: [...a.shape].reverse() } : a;
    const { m, n } = sizes({ a: turned, b }, { transposeB: bTranspose });
    const { c } = inputs;
    if (c && !sameShape(broadcastShapes('gemm', c.shape, [m, n]), [m, n])) {
      throw opError('wrong-shape', 'gemm', `c is ${formatShape(c.shape)}, which does not broadcast to [${m},${n}]`);
    }
    return { dataType: a.dataType, shape: [m, n] };
  },
  decompose(inputs, { alpha = 1, beta = 1, aTranspose = false, bTranspose = false }, rewriter) {
    const scaled = (input: Operand, factor: number): Operand =>
      factor === 1 ? input : rewriter.add('linear', { input }, { alpha: factor, beta: 0 });
    const turned = aTranspose ? rewriter.add('transpose', { input: inputs['a'] }) : inputs['a']!;
    const product = rewriter.add('matmul', { a: scaled(turned, alpha), b: inputs['b'] }, { transposeB: bTranspose });
    return inputs['c'] && beta !== 0 ? rewriter.add('add', { a: product, b: scaled(inputs['c'], beta) }) : product;
  },
});
