import { elementCount, sameShape } from '../../tensor/types.ts';
import { type ConstantOptions, type Graph, type Operand, operand, rewrite } from '../ir.ts';
import { permutationOf, transposed } from './layout.ts';

/** A symmetric dequantizeLinear of int8 or int4. */
interface Quantized {
  readonly input: Operand;
  readonly scale: Operand;
}

const isZero = ({ op, options }: Operand): boolean =>
  op === 'constant' && Boolean((options as ConstantOptions).data?.every((x) => x === 0));

/** What a dequantizeLinear is made of, where it is symmetric and its scale has the rank of its input. */
export function quantizedOf(node: Operand | undefined): Quantized | undefined {
  if (node?.op !== 'dequantizeLinear') return undefined;
  const { input, scale, zeroPoint } = node.inputs as Record<'input' | 'scale', Operand> & { zeroPoint?: Operand };
  if (input.dataType !== 'int8' && input.dataType !== 'int4') return undefined;
  if (scale.dataType !== 'float32' || (zeroPoint && !isZero(zeroPoint))) return undefined;
  if (scale.shape.length === input.shape.length) return { input, scale };
  if (scale.shape.length > input.shape.length) return undefined;
  const newShape = [...new Array<number>(input.shape.length - scale.shape.length).fill(1), ...scale.shape];
  return { input, scale: operand('reshape', { input: scale }, { newShape }) };
}

/**
 * dequantizeLinear goes down through what only moves weights about, or scales their channels, and into the products, convolutions and
 * tables that take int8 and int4 with scales. What nothing takes stays, and is computed (at load, where it is constant).
 */
export function fuseDequantize(graph: Graph): Graph {
  return rewrite(graph, (node) => moved(node) ?? fused(node) ?? node);
}

/** f(dequantizeLinear(x, s)) as dequantizeLinear(f(x), f(s)). */
function moved(node: Operand): Operand | undefined {
  const { op, inputs, options, label } = node;
  const from = quantizedOf(inputs['input'] ?? inputs['a']);
  if (from?.input.dataType !== 'int8') return undefined;
  const { input, scale } = from;
  const again = (x: Operand, s: Operand): Operand => operand('dequantizeLinear', { input: x, scale: s }, {}, label);
  if (op === 'transpose') {
    const permutation = permutationOf(node);
    return again(transposed(input, permutation, label), transposed(scale, permutation, label));
  }
  if (op === 'reshape') {
    // Axes of length 1 come and go: those that have more keep their scales.
    const { newShape } = options as { newShape: readonly number[] };
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
      operand(op, { input }, options, label),
      operand('reshape', { input: scale }, { newShape: scales }, label),
    );
  }
  if (op === 'pad') {
    const {
      beginningPadding,
      endingPadding,
      value = 0,
    } = options as Record<string, readonly number[]> & { value?: number };
    if (value !== 0) return undefined;
    const free = scale.shape.every((size, d) => size === 1 || beginningPadding![d]! + endingPadding![d]! === 0);
    return free ? again(operand(op, { input }, options, label), scale) : undefined;
  }
  const { b } = inputs;
  if (op === 'mul' && b?.shape.length === scale.shape.length) {
    const within = b.shape.every((size, d) => size === 1 || size === scale.shape[d]);
    return within ? again(input, operand('mul', { a: scale, b }, {}, label)) : undefined;
  }
  return undefined;
}

/** A node that takes quantised weights, with what they are made of in place of dequantizeLinear. */
function fused({ op, inputs, options, label }: Operand): Operand | undefined {
  const name = ({ matmul: 'b', conv2d: 'filter', gather: 'input' } as Record<string, string>)[op];
  const weights = name && !inputs['scales'] ? quantizedOf(inputs[name]) : undefined;
  if (!name || !weights) return undefined;
  const scales = scalesFor(op, weights, options);
  return scales && operand(op, { ...inputs, [name]: weights.input, scales }, options, label);
}

interface LayerOptions {
  readonly transposeB?: boolean;
  readonly axis?: number;
  readonly groups?: number;
  readonly filterLayout?: string;
}

/** Scales as kernels want them, [N], [K/group, N] or [N, K/group]; undefined where theirs are others. */
function scalesFor(op: string, { input, scale }: Quantized, options: LayerOptions): Operand | undefined {
  const { transposeB = false, axis = 0, groups = 1, filterLayout = '' } = options;
  const conv = op === 'conv2d';
  if (input.shape.length !== (conv ? 4 : 2) || axis !== 0 || (conv && filterLayout !== 'hwio')) return undefined;
  const channelsFirst = op === 'gather' || transposeB;
  const [rows, columns] = input.shape.slice(-2) as [number, number];
  const [channels, depth] = channelsFirst ? [rows, columns] : [columns, rows];
  const blocks = scale.shape.slice(-2);
  if (elementCount(scale.shape) !== elementCount(blocks)) return undefined;
  const [own, deep] = (channelsFirst ? blocks : [blocks[1], blocks[0]]) as [number, number];
  if (own !== 1 && own !== channels) return undefined;
  if (deep !== 1 && ((depth / deep) % 4 || groups > 1)) return undefined;
  const shape = channelsFirst ? [channels, deep] : [deep, channels];
  const all =
    own === channels
      ? scale
      : operand('expand', { input: scale }, { newShape: [...scale.shape.slice(0, -2), ...shape] });
  return operand('reshape', { input: all }, { newShape: deep === 1 ? [channels] : shape });
}
