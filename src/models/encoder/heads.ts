import type { GraphBuilder } from '../../graph/builder.ts';
import type { Operand } from '../../graph/ir.ts';
import { ACTIVATIONS } from '../activation-names.ts';
import { normalized } from '../transformer.ts';
import type { GraphWeights } from '../weights.ts';
import { normOf } from './graph.ts';
import type { Reading } from './model.ts';
import type { EncoderFamily, HeadTask } from './shape.ts';

/** Rows [count, width] through the products of a task's head: float32 [count, what the last gives]. */
export function headed(
  b: GraphBuilder,
  w: GraphWeights,
  rows: Operand,
  task: HeadTask,
  { heads, shape }: EncoderFamily,
): Operand {
  let x = rows.dataType === w.dataType ? rows : b.cast(rows, w.dataType);
  for (const { weight, bias, activation, norm } of heads[task]) {
    const kept = w.get(`${weight}.weight`, [-1, x.shape.at(-1)!]);
    x = b.matmul(x, kept, { transposeB: true, label: weight });
    if (bias !== undefined) x = b.add(x, w.get(bias, [kept.shape[0]!]));
    if (activation !== undefined) x = ACTIVATIONS[activation]!(b, x);
    x = normalized(w, x, norm, normOf(shape));
  }
  return x.dataType === 'float32' ? x : b.cast(x, 'float32');
}

/** The head of every token: output `logits` [texts · tokens, classes]. */
export const ofEachToken = (family: EncoderFamily, task: HeadTask): Reading => ({
  name: task,
  finish(b, hidden, weights) {
    const [texts, tokens, width] = hidden.shape as readonly [number, number, number];
    return { logits: headed(b, weights, b.reshape(hidden, [texts * tokens, width]), task, family) };
  },
});
