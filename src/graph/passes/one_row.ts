import type { Caps } from '../../gpu/gpu.ts';
import { glu } from '../../ops/glu.ts';
import { matmul } from '../../ops/matmul.ts';
import { rmsNormalization } from '../../ops/rms_normalization.ts';
import { byteLength, elementCount } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, rewrite } from '../ir.ts';

/**
 * A product of one row, as decoders have for each token, takes in the RMS normalisation of the row before it and the gated
 * unit after it: its own dispatch computes both. What lies between must have no other user. Each strip of columns normalises
 * the row anew. A GPU has that row at hand while it waits for the weights; on software adapters any load costs what one of
 * the weights does, and only a gated product, whose strips are two wide, takes in a normalisation (docs/performance.md).
 */
export const fuseRow =
  (caps?: Caps) =>
  (graph: Graph): Graph =>
    rewrite(graph, (node, uses) => {
      const withNorm = (product: Operand): Operand | undefined =>
        uses(product.inputs['a']!) === 1 ? normed(product) : undefined;
      if (matmul.is(node)) return (!caps?.software && withNorm(node)) || node;
      const product = glu.is(node) && uses(node.inputs['input']!) === 1 && gated(node, caps);
      return product ? (withNorm(product) ?? product) : node;
    });

/** The row of a product whose kernel reads one row and one matrix. */
function rowOf({ inputs }: Operand): Operand | undefined {
  const { a, b } = inputs as Record<'a' | 'b', Operand>;
  return elementCount(a.shape) === a.shape.at(-1) && b.shape.length === 2 ? a : undefined;
}

function normed(product: Operand): Operand | undefined {
  const row = rowOf(product);
  if (!row || !rmsNormalization.is(row) || product.inputs['norm']) return undefined;
  const { input, scale } = row.inputs as Record<'input', Operand> & { scale?: Operand };
  const { axes = row.shape.map((_, d) => d).slice(1), epsilon } = row.options;
  if (!scale || axes.length !== 1 || (axes[0]! + row.shape.length) % row.shape.length !== row.shape.length - 1)
    return undefined;
  return operand(
    product.op,
    { ...product.inputs, a: input, norm: scale },
    { ...product.options, ...(epsilon !== undefined && { epsilon }) },
    product.label,
  );
}

function gated(node: Operand, caps: Caps | undefined): Operand | undefined {
  const { input: product } = node.inputs as Record<'input', Operand>;
  if (!matmul.is(product) || !rowOf(product)) return undefined;
  const { inputs, options, label } = product;
  const { transposeB, activation } = options;
  const fits = byteLength(inputs['b']!) <= (caps?.maxBindingBytes ?? Number.POSITIVE_INFINITY);
  if (!transposeB || activation || inputs['residual'] || inputs['affine'] || product.shape.at(-1)! % 8 || !fits)
    return undefined;
  return operand(product.op, inputs, { ...options, ...node.options, gated: true }, label);
}
