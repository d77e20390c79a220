import type { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Operand } from '../graph/ir.ts';
import type { TextGraphOptions } from './text-family.ts';

/**
 * The graph of a model of text, from the logits of its tokens: these, or the token drawn by the input `settings` (ops/sample.ts) from each
 * line.
 */
export function textOutputs(b: GraphBuilder, logits: Operand, predict: TextGraphOptions['predict']): Graph {
  if (predict === 'all') return b.outputs({ logits });
  const settings = b.input('settings', { dataType: 'float32', shape: [logits.shape[0]!, 5] });
  const line = predict === 'adjusted' ? adjusted(b, logits) : logits;
  const token = b.sample(line, settings, { label: 'sample' });
  return b.outputs({ token, ...(predict === 'adjusted' && { logits }) });
}

/** Logits as the inputs `terms` and `factors`, float32 [1, vocabulary], change them: text/adjustments.ts. */
function adjusted(b: GraphBuilder, logits: Operand): Operand {
  const { dataType, shape } = logits;
  const [terms, factors] = ['terms', 'factors'].map((name) => b.input(name, { dataType: 'float32', shape }));
  const moved = b.add(dataType === 'float32' ? logits : b.cast(logits, 'float32'), terms!);
  const zero = b.constant({ dataType: 'float32', shape: [] }, Float32Array.of(0));
  return b.where(b.greater(moved, zero), b.div(moved, factors!), b.mul(moved, factors!));
}
