import { TilewrightError } from '../../errors.ts';
import type { Caps } from '../../gpu/gpu.ts';
import type { Conv2dOptions } from '../../ops/conv2d.ts';
import { byteLength, elementCount, sameShape } from '../../tensor/types.ts';
import { constantOf, type Graph, type Operand, operand, rewrite } from '../ir.ts';
import { quantizedOf } from './dequantize.ts';
import type { Wanted } from './winograd.ts';

/** Scale of the input of each layer, by the layer's label: max |x| / 127 over sample inputs (models/calibration.ts). */
export type Calibration = Readonly<Record<string, number>>;

export interface ActivationOptions {
  /**
   * int8 activations where weights are int8 with a scale an output channel, and the integer product is faster here: `dynamic` takes
   * the scale of each row (of the whole tensor for a convolution) at run time, `static` that of `calibration`. Floats where absent.
   */
  activations?: 'dynamic' | 'static' | undefined;
  calibration?: Calibration | undefined;
  /** The products that become integer; what was measured for the adapter's class where absent. */
  integer?: Wanted | undefined;
}

/** Rows up to which a product is a matrix-vector product on software adapters (ops/gemm.ts). */
const FEW_ROWS = 3;

/**
 * On llvmpipe a row times [N,K] gains (4096×4096, quantising included: 3.5 ms, weights alone 4.8 in another run, 2026-11-22); [K,N], more
 * rows, and SwiftShader do not. GPUs have instructions for it where WGSL has.
 */
export const integerWins =
  (caps: Caps | undefined): Wanted =>
  ({ op, shape, options }) => {
    if (!caps?.software) return Boolean(caps?.packedDot);
    const { transposeB = false } = options as { transposeB?: boolean };
    return op === 'matmul' && transposeB && !caps.longKernels && elementCount(shape) / shape.at(-1)! <= FEW_ROWS;
  };

/** Elements of K that the integer kernels read at once. */
const QUAD = 16;

/** The left operand, by op. */
const LEFT: Readonly<Record<string, string>> = { matmul: 'a', conv2d: 'input' };

interface Product {
  readonly node: Operand;
  /** The float input. */
  readonly left: Operand;
  /** int8, output channels first: [N,K], or ohwi. */
  readonly weights: Operand;
}

/** A product of float32 by constant int8 weights with a scale an output channel, of shapes that suit the integer kernels. */
function productOf(node: Operand, limit: number): Product | undefined {
  const left = node.inputs[LEFT[node.op] ?? ''];
  const { b, filter, scales } = node.inputs;
  const weights = node.op === 'matmul' ? b : filter;
  if (!left || weights?.dataType !== 'int8' || !weights.constant || node.dataType !== 'float32') return undefined;
  if (!scales || elementCount(scales.shape) !== node.shape.at(-1) || byteLength(weights) > limit) return undefined;
  if (node.op === 'matmul') {
    const { transposeB = false } = node.options as { transposeB?: boolean };
    if (weights.shape.length !== 2) return undefined;
    return { node, left, weights: transposeB ? weights : operand('transpose', { input: weights }, {}, node.label) };
  }
  const { inputLayout, filterLayout } = node.options as Conv2dOptions;
  if (inputLayout !== 'nhwc' || filterLayout !== 'hwio') return undefined;
  const turned = operand('transpose', { input: weights }, { permutation: [3, 0, 1, 2] }, node.label);
  return { node, left, weights: turned };
}

/** The integer product of an int8 left operand, with its scale, in the place of the float one. */
function integerOf({ node, weights }: Product, input: Operand, scale: Operand): Operand {
  const { a, b, input: image, filter, ...rest } = node.inputs;
  if (node.op === 'matmul') {
    const { transposeB, ...options } = node.options as { transposeB?: boolean };
    return operand('matmulInteger', { ...rest, a: input, b: weights, aScale: scale }, options, node.label);
  }
  const { inputLayout, filterLayout, ...options } = node.options as Conv2dOptions;
  return operand('conv2dInteger', { ...rest, input, filter: weights, inputScale: scale }, options, node.label);
}

/** int8 and its scale where the operand is a symmetric dequantizeLinear with one scale, or for a matrix one a row. */
function dequantized({ op }: Operand, left: Operand): { input: Operand; scale: Operand } | undefined {
  const made = quantizedOf(left);
  if (made?.input.dataType !== 'int8') return undefined;
  const { input, scale } = made;
  const rows = [...input.shape.slice(0, -1), 1];
  const fits = elementCount(scale.shape) === 1 || (op === 'matmul' && sameShape(scale.shape, rows));
  return fits ? made : undefined;
}

function scaleOf({ node, left }: Product, { activations, calibration }: ActivationOptions): Operand {
  const ones = left.shape.map(() => 1);
  if (activations === 'dynamic') {
    const newShape = node.op === 'matmul' ? [...left.shape.slice(0, -1), 1] : ones;
    return operand('quantizeScales', { input: left }, { newShape }, node.label);
  }
  const known = calibration?.[node.label ?? ''];
  if (!(known && known > 0 && Number.isFinite(known)))
    throw new TilewrightError('invalid-argument', `the calibration has no scale for the input of '${node.label}'`, {
      hint: 'Static activations take the calibration of this model: `model.calibrate(samples)` of one that is loaded without `activations`.',
    });
  return constantOf('float32', ones, [known]);
}

/**
 * Products of float activations and int8 weights become integer products: of activations that a graph quantises itself
 * (dequantizeLinear, as quantisation-aware training leaves it), and of all others where `activations` says so. Weights are brought
 * to K-contiguous form, at load. Error: `invalid-argument` where `static` lacks a layer's scale.
 */
export const quantizeActivations =
  (options: ActivationOptions, caps?: Caps) =>
  (graph: Graph): Graph => {
    const wanted = options.integer ?? integerWins(caps);
    const taken = new Map<Operand, Operand>(); // scales of inputs that several products share
    return rewrite(graph, (node) => {
      const product = productOf(node, caps?.maxBindingBytes ?? 2 ** 27);
      if (!product) return node;
      const given = dequantized(node, product.left);
      if (given) return wanted(node) ? integerOf(product, given.input, given.scale) : node;
      const { groups = 1 } = node.options as Conv2dOptions;
      const suits = groups === 1 && product.left.shape.at(-1)! % QUAD === 0;
      if (!options.activations || !suits || !wanted(node)) return node;
      const shared = options.activations === 'dynamic' && node.op === 'matmul';
      const scale = (shared && taken.get(product.left)) || scaleOf(product, options);
      if (shared) taken.set(product.left, scale);
      const input = operand('quantizeLinear', { input: product.left, scale }, {}, node.label);
      return integerOf(product, input, scale);
    });
  };
