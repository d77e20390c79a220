import type { WeightSpec } from '../../ops/define.ts';
import { binary } from '../../ops/elementwise.ts';
import { expand, pad, transpose } from '../../ops/movement.ts';
import { dequantizeLinear } from '../../ops/quantize_linear.ts';
import { reshape } from '../../ops/reshape.ts';
import { unpackInt4 } from '../../ops/unpack_int4.ts';
import { elementCount, sameShape } from '../../tensor/types.ts';
import { type ConstantOptions, type Graph, type Operand, operand, opOf, rewrite } from '../ir.ts';
import { permutationOf, transposed } from './layout.ts';

/** A symmetric dequantizeLinear of int8 or int4x8. */
interface Quantized {
  readonly input: Operand;
  readonly scale: Operand;
}

/** Whether all bits are zero; those of int4 are where the numbers are. */
function isZero(node: Operand): boolean {
  const { data } = (unpackInt4.is(node) ? node.inputs['input']! : node).options as ConstantOptions;
  return Boolean(data && new Uint8Array(data.buffer, data.byteOffset, data.byteLength).every((byte) => !byte));
}

/** Input and scale of a symmetric dequantizeLinear; the scale gets the rank of the input. Undefined for other nodes. */
export function quantizedOf(node: Operand | undefined): Quantized | undefined {
  if (!node || !dequantizeLinear.is(node)) return undefined;
  const { input, scale, zeroPoint } = node.inputs as Record<'input' | 'scale', Operand> & { zeroPoint?: Operand };
  if (input.dataType !== 'int8' && input.dataType !== 'int4x8') return undefined;
  if (scale.dataType !== 'float32' || (zeroPoint && !isZero(zeroPoint))) return undefined;
  if (scale.shape.length === input.shape.length) return { input, scale };
  if (scale.shape.length > input.shape.length) return undefined;
  const newShape = [...new Array<number>(input.shape.length - scale.shape.length).fill(1), ...scale.shape];
  return { input, scale: operand(reshape.name, { input: scale }, { newShape }) };
}

/**
 * Moves dequantizeLinear down through ops that move weights or scale channels, and into the products, convolutions and
 * tables whose kernels read int8 and int4 with scales. Where no such op follows, it stays and is computed; at load
 * where it is constant.
 */
export function fuseDequantize(graph: Graph): Graph {
  return rewrite(graph, (node) => moved(node) ?? fused(node) ?? node);
}

/** f(dequantizeLinear(x, s)) as dequantizeLinear(f(x), f(s)). */
function moved(node: Operand): Operand | undefined {
  const { inputs, label } = node;
  const from = quantizedOf(inputs['input'] ?? inputs['a']);
  if (from?.input.dataType !== 'int8') return undefined;
  const { input, scale } = from;
  const again = (x: Operand, s: Operand): Operand => operand(dequantizeLinear.name, { input: x, scale: s }, {}, label);
  if (transpose.is(node)) {
    const permutation = permutationOf(node);
    return again(transposed(input, permutation, label), transposed(scale, permutation, label));
  }
  if (reshape.is(node)) {
    // Axes of length 1 may come and go. The other axes have to stay, with their scales.
    const { newShape } = node.options;
    const long = input.shape.flatMap((size, d) => (size > 1 ? [{ size, scales: scale.shape[d]! }] : []));
    if (
      !sameShape(
        long.map(({ size }) => size),
        newShape.filter((size) => size > 1),
      )
    )
      return undefined;
    const scales = newShape.map((size) => (size > 1 ? long.shift()!.scales : 1));
    return again(
      operand(node.op, { input }, node.options, label),
      operand(reshape.name, { input: scale }, { newShape: scales }, label),
    );
  }
  if (pad.is(node)) {
    const { beginningPadding, endingPadding, value = 0 } = node.options;
    if (value !== 0) return undefined;
    const free = scale.shape.every((size, d) => size === 1 || beginningPadding![d]! + endingPadding![d]! === 0);
    return free ? again(operand(node.op, { input }, node.options, label), scale) : undefined;
  }
  const { b } = inputs;
  if (binary.mul.is(node) && b?.shape.length === scale.shape.length) {
    const within = b.shape.every((size, d) => size === 1 || size === scale.shape[d]);
    return within ? again(input, operand(node.op, { a: scale, b }, {}, label)) : undefined;
  }
  return undefined;
}

/** The node on integers and scales, in place of dequantizeLinear, where its kernels read them. */
function fused(node: Operand): Operand | undefined {
  const { op, inputs, options, label } = node;
  const spec = inputs['scales'] ? undefined : opOf(node).weight?.(inputs, options);
  const weights = spec?.fuses ? quantizedOf(inputs[spec.operand]) : undefined;
  const scales = spec && weights && scalesFor(spec, weights);
  if (!scales) return undefined;
  // int4 weights as they lie, where the op reads them.
  const { input } = weights;
  const own = spec.int4 && unpackInt4.is(input) ? input.inputs['input']! : input;
  return operand(op, { ...inputs, [spec.operand]: own, scales }, options, label);
}

/** Scales in the shape of kernels: [N], [K/group, N] or [N, K/group]. Undefined where they have no such shape. */
function scalesFor(spec: WeightSpec, { input, scale }: Quantized): Operand | undefined {
  const [channels, depth] = [input.shape[spec.channels]!, input.shape[spec.depth]!];
  const [own, deep] = [scale.shape[spec.channels]!, scale.shape[spec.depth]!];
  if (elementCount(scale.shape) !== own * deep || (own !== 1 && own !== channels)) return undefined;
  if (deep !== 1 && ((depth / deep) % 4 || !spec.groups)) return undefined;
  const shape = spec.channels < spec.depth ? [channels, deep] : [deep, channels];
  const all =
    own === channels
      ? scale
      : operand(expand.name, { input: scale }, { newShape: [...scale.shape.slice(0, -2), ...shape] });
  return operand(reshape.name, { input: all }, { newShape: deep === 1 ? [channels] : shape });
}
