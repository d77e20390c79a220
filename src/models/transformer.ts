import type { GraphBuilder } from '../graph/builder.ts';
import type { Operand } from '../graph/ir.ts';
import { opNamed } from '../ops/index.ts';
import { ACTIVATIONS } from './activation-names.ts';
import type { Packed } from './packed.ts';
import type { GraphWeights } from './weights.ts';

// What decoders, encoders and both together are made of.

/** Rows [count, in] times a weight [out, in], plus its bias [out] where it has one. */
export function linear(w: GraphWeights, x: Operand, packed: Packed, out: number, bias: boolean): Operand {
  const weight = w.packed(packed, '.weight', [out, x.shape.at(-1)!]);
  const y = w.builder.matmul(x, weight, { transposeB: true, label: packed.name });
  return bias ? w.builder.add(y, w.packed(packed, '.bias', [out])) : y;
}

/** The activation of the first half of each row [count, 2 · inner], times the second. */
export function gated(b: GraphBuilder, rows: Operand, activation: string, label: string): Operand {
  const activate = ACTIVATIONS[activation]!;
  const { op, options, inputs } = activate(b, rows);
  if (opNamed(op).activation && inputs['input'] === rows)
    return b.glu(rows, { activation: { name: op, ...options }, label });
  const [count, width] = rows.shape as readonly [number, number];
  const half = (from: number): Operand => b.slice(rows, [0, from], [count, width / 2]);
  return b.mul(activate(b, half(0)), half(width / 2));
}

/** A normalisation over the last axis. `layer` has a mean, and a bias unless there is none. */
export interface Norm {
  readonly kind: 'rms' | 'layer';
  readonly epsilon: number;
  /** Whether the tensor `NAME.bias` is added. */
  readonly bias: boolean;
}

/** Rows normalised by the tensors of this name; as they are where there is no name. `scale`: the learned scale, where it is not the tensor itself. */
export function normalized(
  w: GraphWeights,
  x: Operand,
  name: string | undefined,
  { kind, epsilon, bias }: Norm,
  scale?: (name: string, size: number) => Operand,
): Operand {
  if (name === undefined) return x;
  const size = x.shape.at(-1)!;
  const own = scale?.(name, size) ?? w.get(`${name}.weight`, [size]);
  const options = { scale: own, axes: [x.shape.length - 1], epsilon, label: name };
  return kind === 'rms'
    ? w.builder.rmsNormalization(x, options)
    : w.builder.layerNormalization(x, { ...options, ...(bias && { bias: w.get(`${name}.bias`, [size]) }) });
}
