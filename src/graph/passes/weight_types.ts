import { TilewrightError } from '../../errors.ts';
import type { WeightSpec } from '../../ops/define.ts';
import { packInt4 } from '../../ops/pack_int4.ts';
import { dequantizeLinear, quantizeLinear, quantizeScales } from '../../ops/quantize_linear.ts';
import { elementCount, isFloat } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, opOf, rewrite } from '../ir.ts';
import { narrowed, wasHalf } from './float16_fallback.ts';

/** Types of weights on the device. int8 and int4 are symmetric, with scales. */
export const WEIGHT_TYPES = ['float32', 'float16', 'int8', 'int4'] as const;
/** A type of weights. */
export type WeightType = (typeof WEIGHT_TYPES)[number];

/** Sizes of a group: weights along the input that share a scale. */
export const GROUP_SIZES = [32, 64, 128] as const;
export type GroupSize = (typeof GROUP_SIZES)[number];

/** A type for all layers, or for each by its name: `{ default: 'int8', fc: 'float32', 'h.0': 'float16' }`. */
export type WeightTypes = WeightType | ({ readonly default: WeightType } & Readonly<Record<string, WeightType>>);

export interface QuantizeOptions {
  weights?: WeightTypes | undefined;
  /** Weights along the input that share a scale. Absent: 32 for int4, an output channel for int8. */
  groupSize?: GroupSize | undefined;
}

export interface Layer {
  /** `layer1.0.conv1`: the tensor's name without `.weight`. */
  readonly name: string;
  readonly spec: WeightSpec;
  readonly weight: Operand;
}

const specOf = (node: Operand): WeightSpec | undefined => opOf(node).weight?.(node.inputs, node.options);

/** The layer of a node: constant float weights that it multiplies by, or looks up. */
export function layerOf(node: Operand): Layer | undefined {
  const spec = specOf(node);
  const weight = spec && node.inputs[spec.operand];
  if (!weight || node.inputs['scales'] || !isFloat(weight.dataType) || !weight.constant) return undefined;
  return { name: (weight.label ?? node.label ?? node.op).replace(/\.weight$/, ''), spec, weight };
}

/** The type of a layer: that of the longest key that is its name, or consecutive parts of it between dots. */
export function typeOf(types: WeightTypes, layer: string, used?: Set<string>): WeightType {
  if (typeof types === 'string') return types;
  const keys = Object.keys(types).filter((key) => key !== 'default' && `.${layer}.`.includes(`.${key}.`));
  const key = keys.sort((a, b) => b.length - a.length)[0] ?? 'default';
  for (const matching of keys) used?.add(matching);
  return types[key]!;
}

/** The axis of output channels of a layer's weights; of a table the axis of rows. */
export const channelAxis = (node: Operand): number => specOf(node)!.channels;

/** Shape of the scales: one for each `group` along the input where that divides it, else one an output channel. */
function scaleShape({ spec: { channels, depth, groups }, weight: { shape } }: Layer, group: number): number[] {
  const blocks = group && groups && shape[depth]! % group === 0 ? shape[depth]! / group : 1;
  return shape.map((size, d) => (d === channels ? size : d === depth ? blocks : 1));
}

/** Makes dequantizeLinear(quantizeLinear(w, scale), scale) of w. Layers that share w (a tied head) share it. */
class Quantizer {
  readonly #made = new Map<Operand, Map<string, Operand>>();

  get({ weight, name }: Layer, dataType: 'int8' | 'int4', shape: readonly number[]): Operand {
    const forms = this.#made.get(weight) ?? new Map<string, Operand>();
    this.#made.set(weight, forms);
    const key = `${dataType}${shape}`;
    let made = forms.get(key);
    if (!made) {
      const { label = name } = weight;
      const scale = operand(
        quantizeScales.name,
        { input: weight },
        { newShape: shape, levels: dataType === 'int4' ? 7 : 127 },
        label,
      );
      const bytes = operand(quantizeLinear.name, { input: weight, scale }, { dataType: 'int8' }, label);
      const input = dataType === 'int4' ? operand(packInt4.name, { input: bytes }, {}, label) : bytes;
      made = operand(dequantizeLinear.name, { input, scale }, {}, label);
      forms.set(key, made);
    }
    return made;
  }
}

/**
 * Constant weights of products, convolutions and tables become int8 or int4: w becomes
 * dequantizeLinear(quantizeLinear(w, scale), scale), as in a graph of quantisation-aware training. Constants are
 * computed at load, so the GPU does it. Convolutions, and rows whose length is no multiple of 4, have no int4 kernels
 * and become int8. Weights that are quantised already stay. Errors: `invalid-argument` for an unknown layer, type or
 * group size.
 */
export function quantizeWeights({ weights = 'float32', groupSize }: QuantizeOptions) {
  for (const type of typeof weights === 'string' ? [weights] : Object.values(weights)) {
    if (!WEIGHT_TYPES.includes(type))
      throw new TilewrightError('invalid-argument', `there is no dtype '${type}' (${WEIGHT_TYPES.join(', ')})`);
  }
  if (groupSize !== undefined && !GROUP_SIZES.includes(groupSize))
    throw new TilewrightError('invalid-argument', `groupSize is ${groupSize}, expected ${GROUP_SIZES.join(', ')}`);
  return (graph: Graph): Graph => {
    const quantizer = new Quantizer();
    const used = new Set<string>();
    const layers: string[] = [];
    const result = rewrite(graph, (node) => {
      const layer = layerOf(node);
      if (!layer) return node;
      layers.push(layer.name);
      const type = typeOf(weights, layer.name, used);
      if ((type !== 'int8' && type !== 'int4') || dequantizeLinear.is(layer.weight)) return node;
      const { shape } = layer.weight;
      const narrow = type === 'int4' && layer.spec.int4 && shape.at(-1)! % 4 === 0 && elementCount(shape) % 8 === 0;
      const scales = scaleShape(layer, groupSize ?? (narrow ? 32 : 0));
      const made = quantizer.get(layer, narrow ? 'int4' : 'int8', scales);
      return operand(node.op, { ...node.inputs, [layer.spec.operand]: made }, node.options, node.label);
    });
    const unknown =
      typeof weights === 'string' ? [] : Object.keys(weights).filter((k) => k !== 'default' && !used.has(k));
    if (unknown.length)
      throw new TilewrightError('invalid-argument', `there is no layer '${unknown[0]}'`, {
        hint: `Layers are ${[...new Set(layers)].join(', ')}.`,
      });
    return result;
  };
}

/**
 * Weights of float32 layers become bits of float16 where the layer's type is float16, or where they were float16 in the
 * file.
 */
export function narrowWeights({ weights = 'float32' }: QuantizeOptions) {
  return (graph: Graph): Graph => {
    const made = new Map<Operand, Operand>();
    return rewrite(graph, (node) => {
      const layer = layerOf(node);
      if (layer?.weight.dataType !== 'float32') return node;
      const { weight, name, spec } = layer;
      if (typeOf(weights, name) !== 'float16' && !wasHalf(weight)) return node;
      const half = made.get(weight) ?? narrowed(weight);
      made.set(weight, half);
      return operand(
        node.op,
        { ...node.inputs, [spec.operand]: half },
        { ...node.options, ...spec.options },
        node.label,
      );
    });
  };
}
