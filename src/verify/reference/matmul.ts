import { broadcastShapes, elementCount } from '../../tensor/types.ts';
import { type ActivationOptions, applyUnary } from './elementwise.ts';
import { rmsNormalization } from './normalization.ts';
import { at, build, type RefInputs, type RefTensor, spread } from './tensor.ts';

export interface EpilogueOptions {
  activation?: { name: string } & ActivationOptions;
}

/**
 * The scale of a weight. Scales are [channels], or one for each group along `depth`: [depth/group, channels] (kn) or
 * [channels, depth/group] (nk).
 */
export function scaleOf({ scales }: RefInputs, channels: number, depth: number, layout: 'kn' | 'nk') {
  const groups = (scales?.data.length ?? channels) / channels;
  return (column: number, k: number): number => {
    const group = Math.floor((k * groups) / depth);
    return scales?.data[layout === 'kn' ? group * channels + column : column * groups + group] ?? 1;
  };
}

/** The epilogue: activation(sum + bias + residual) * affine[0] + affine[1]. Adds to value and mass. */
export function finish(
  sum: { readonly value: number; readonly mass?: number },
  column: number,
  index: readonly number[],
  inputs: RefInputs,
  { activation }: EpilogueOptions,
) {
  const { bias, residual, affine } = inputs;
  let { value, mass = Math.abs(sum.value) } = sum;
  for (const added of [bias && bias.data[column]!, residual && at(residual, index)]) {
    value += added ?? 0;
    mass += Math.abs(added ?? 0);
  }
  if (activation) value = applyUnary(activation.name, value, activation);
  if (!affine) return { value, mass };
  const [factor, term] = affine.data as unknown as [number, number];
  return { value: factor * value + term, mass: Math.abs(factor) * mass + Math.abs(term) };
}

/** Offset of the matrix of a batch within an operand. Leading dimensions broadcast. */
function matrixStarts({ shape }: RefTensor): (batch: readonly number[]) => number {
  const lead = shape.slice(0, -2);
  const starts = Float64Array.from({ length: elementCount(lead) }, (_, i) => i * elementCount(shape.slice(-2)));
  return (batch) => spread({ dataType: 'uint32', shape: lead, data: starts }, batch);
}

interface MatmulOptions extends EpilogueOptions {
  transposeB?: boolean;
  gated?: boolean;
  epsilon?: number;
}

/** a [..., M, K] times b [..., K, N], or [..., N, K] with transposeB. One row may be normalised before, and gated after. */
export function matmul(inputs: RefInputs, { gated = false, ...options }: MatmulOptions): RefTensor {
  if (inputs['norm']) {
    const { norm, a, ...others } = inputs as Record<'norm' | 'a', RefTensor>;
    const { epsilon = 1e-5 } = options;
    const row = rmsNormalization({ input: a, scale: norm }, { axes: [a.shape.length - 1], epsilon });
    return matmul({ ...others, a: { ...row, data: row.data } }, { gated, ...options });
  }
  if (gated) {
    const { activation, ...plain } = options;
    const sums = matmul(inputs, plain);
    const columns = sums.shape.at(-1)! / 2;
    return build(
      sums.dataType,
      [...sums.shape.slice(0, -1), columns],
      (index) => {
        const at = index.at(-1)!;
        const gate = applyUnary(activation!.name, sums.data[at]!, activation);
        const value = sums.data[columns + at]!;
        return {
          value: gate * value,
          mass: Math.abs(gate) * sums.mass![columns + at]! + sums.mass![at]! * Math.abs(value),
        };
      },
      sums.terms,
    );
  }
  const { a, b } = inputs as Record<'a' | 'b', RefTensor>;
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(options.transposeB ? -2 : -1)!;
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [startOfA, startOfB] = [matrixStarts(a), matrixStarts(b)];
  const [rowStep, columnStep] = options.transposeB ? [1, k] : [n, 1];
  const scale = scaleOf(inputs, n, k, options.transposeB ? 'nk' : 'kn');
  return build(
    a.dataType,
    [...batch, m, n],
    (index) => {
      const [row, column] = index.slice(-2) as [number, number];
      const aFrom = startOfA(index.slice(0, -2)) + row * k;
      const bFrom = startOfB(index.slice(0, -2)) + column * columnStep;
      let value = 0;
      let mass = 0;
      for (let i = 0; i < k; i++) {
        const product = a.data[aFrom + i]! * b.data[bFrom + i * rowStep]! * scale(column, i);
        value += product;
        mass += Math.abs(product);
      }
      return finish({ value, mass }, column, index, inputs, options);
    },
    k,
  );
}

interface GemmOptions {
  alpha?: number;
  beta?: number;
  aTranspose?: boolean;
  bTranspose?: boolean;
}

/** alpha * a' · b' + beta * c. */
export function gemm(
  { a, b, c }: RefInputs,
  { alpha = 1, beta = 1, aTranspose = false, bTranspose = false }: GemmOptions,
): RefTensor {
  const [m, k] = aTranspose ? [a!.shape[1]!, a!.shape[0]!] : (a!.shape as [number, number]);
  const n = b!.shape[bTranspose ? 0 : 1]!;
  return build(
    a!.dataType,
    [m, n],
    ([row, column]) => {
      const added = c ? beta * spread(c, [row!, column!]) : 0;
      let value = added;
      let mass = Math.abs(added);
      for (let i = 0; i < k; i++) {
        const x = at(a!, aTranspose ? [i, row!] : [row!, i]);
        const y = at(b!, bTranspose ? [column!, i] : [i, column!]);
        value += alpha * x * y;
        mass += Math.abs(alpha * x * y);
      }
      return { value, mass };
    },
    k,
  );
}

export const references = { matmul, gemm };
