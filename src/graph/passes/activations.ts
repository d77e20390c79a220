import { TilewrightError } from '../../errors.ts';
import type { Caps } from '../../gpu/gpu.ts';
import type { IntegerForm } from '../../ops/define.ts';
import { transpose } from '../../ops/movement.ts';
import { quantizeLinear, quantizeScales } from '../../ops/quantize_linear.ts';
import { byteLength, elementCount, sameShape } from '../../tensor/types.ts';
import { constantOf, type Graph, type Operand, operand, opOf, rewrite } from '../ir.ts';
import { quantizedOf } from './dequantize.ts';
import { integerWins, type Wanted } from './forms.ts';

/** Scales of layers' inputs by the layer's name: max |x| / 127 over sample inputs (models/calibration.ts). */
export type Calibration = Readonly<Record<string, number>>;

export interface ActivationOptions {
  /**
   * int8 activations, for int8 weights with a scale an output channel, where the integer product is faster here.
   * `dynamic` computes a scale a row (for a convolution: one) at run time. `static` takes that of `calibration`.
   * Absent: float activations.
   */
  activations?: 'dynamic' | 'static' | undefined;
  calibration?: Calibration | undefined;
  /** Decides which products become integer; by the table of the adapter's class where absent. @internal */
  integer?: Wanted | undefined;
}

/** Elements of K that integer kernels read at once. */
const QUAD = 16;

interface Product {
  readonly node: Operand;
  /** Its name in a calibration. */
  readonly name: string;
  readonly form: IntegerForm;
  /** The float input. */
  readonly left: Operand;
  /** int8, output channels first: [N,K], or ohwi. */
  readonly weights: Operand;
}

/** A product by constant weights: a calibration has a scale for its input. */
interface Layer {
  readonly name: string;
  readonly form: IntegerForm;
  readonly left: Operand;
  readonly weights: Operand;
}

/**
 * Names the layers of a graph. Call the returned function for each node in order. A layer's name is its label; the
 * second layer of a label is `label#2`, so that each has its own scale.
 */
export function layerNames(): (node: Operand) => Layer | undefined {
  const met = new Map<string, number>();
  return (node) => {
    const form = opOf(node).integer?.(node.inputs, node.options);
    const { [form?.left ?? '']: left, [form?.weights ?? '']: weights } = node.inputs;
    if (!form || !left || !weights?.constant) return undefined;
    const label = node.label ?? node.op;
    const count = (met.get(label) ?? 0) + 1;
    met.set(label, count);
    return { name: count > 1 ? `${label}#${count}` : label, form, left, weights };
  };
}

/** A float32 product by constant int8 weights with a scale an output channel, for which there are integer kernels. */
function productOf(node: Operand, layer: Layer | undefined, limit: number): Product | undefined {
  if (!layer || node.dataType !== 'float32') return undefined;
  const { name, form, left, weights } = layer;
  const { scales } = node.inputs;
  if (weights.dataType !== 'int8' || !scales) return undefined;
  if (elementCount(scales.shape) !== node.shape.at(-1) || byteLength(weights) > limit) return undefined;
  const { permutation } = form;
  const turned = permutation ? operand(transpose.name, { input: weights }, { permutation }, node.label) : weights;
  return { node, name, form, left, weights: turned };
}

/** The integer product of an int8 left operand with its scale. */
const integerOf = ({ node, form, weights }: Product, input: Operand, scale: Operand): Operand =>
  operand(
    form.op,
    { ...node.inputs, [form.left]: input, [form.weights]: weights, [form.scale]: scale },
    form.options,
    node.label,
  );

/**
 * Input and scale of a left operand that is a symmetric dequantizeLinear of int8 with one scale, or for a matrix one a
 * row.
 */
function dequantized({ form, left }: Product): { input: Operand; scale: Operand } | undefined {
  const made = quantizedOf(left);
  if (made?.input.dataType !== 'int8') return undefined;
  const { input, scale } = made;
  const rows = [...input.shape.slice(0, -1), 1];
  const fits = elementCount(scale.shape) === 1 || (form.rows && sameShape(scale.shape, rows));
  return fits ? made : undefined;
}

function scaleOf({ node, name, form, left }: Product, { activations, calibration }: ActivationOptions): Operand {
  const ones = left.shape.map(() => 1);
  if (activations === 'dynamic') {
    const newShape = form.rows ? [...left.shape.slice(0, -1), 1] : ones;
    return operand(quantizeScales.name, { input: left }, { newShape }, node.label);
  }
  const known = calibration?.[name];
  if (!(known && known > 0 && Number.isFinite(known)))
    throw new TilewrightError('invalid-argument', `the calibration has no scale for the input of '${name}'`, {
      hint: 'Static activations take the calibration of this model: `model.calibrate(samples)` of one that is loaded without `activations`.',
    });
  return constantOf('float32', ones, [known]);
}

/**
 * Products of float activations by int8 weights become integer products: where the graph has dequantizeLinear before
 * the activations, as quantisation-aware training leaves it, and everywhere where `activations` is set. Weights are
 * transposed at load so that K is contiguous. Error: `invalid-argument` where `static` lacks the scale of a layer.
 */
export const quantizeActivations =
  (options: ActivationOptions, caps?: Caps) =>
  (graph: Graph): Graph => {
    const wanted = options.integer ?? integerWins(caps);
    const taken = new Map<Operand, Operand>(); // scales of inputs that several products share
    const layerOf = layerNames();
    return rewrite(graph, (node) => {
      const product = productOf(node, layerOf(node), caps?.maxBindingBytes ?? 2 ** 27);
      if (!product) return node;
      const given = dequantized(product);
      if (given) return wanted(node) ? integerOf(product, given.input, given.scale) : node;
      const { groups = 1 } = node.options as { groups?: number };
      const suits = groups === 1 && product.left.shape.at(-1)! % QUAD === 0;
      if (!options.activations || !suits || !wanted(node)) return node;
      const shared = options.activations === 'dynamic' && product.form.rows;
      const scale = (shared && taken.get(product.left)) || scaleOf(product, options);
      if (shared) taken.set(product.left, scale);
      const input = operand(quantizeLinear.name, { input: product.left, scale }, {}, node.label);
      return integerOf(product, input, scale);
    });
  };
