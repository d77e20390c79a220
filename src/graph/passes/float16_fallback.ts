import { cast } from '../../ops/elementwise.ts';
import { narrow } from '../../ops/narrow.ts';
import { widen as widening } from '../../ops/widen.ts';
import { isFloat } from '../../tensor/types.ts';
import { type Graph, isState, leaf, type NamedOptions, type Operand, operand, rewrite, topological } from '../ir.ts';

const widen = (input: Operand): Operand =>
  operand(widening.name, { input }, { from: 'float16', newShape: input.shape }, input.label);

const fromHalf = (node: Operand): boolean => widening.is(node) && node.inputs['input']!.dataType === 'float16';

/** Whether it depends on float16 that was widened. */
export const wasHalf = (node: Operand): boolean => topological({ outputs: { node } }).some(fromHalf);

/** The bits of float16: those that the operand was widened from, or of the operand narrowed. */
export function narrowed(input: Operand): Operand {
  const { input: bits } = input.inputs;
  return fromHalf(input) ? bits! : operand(narrow.name, { input }, {}, input.label);
}

/**
 * For devices without shader-f16: computes float16 in float32. Inputs and constants are widened, outputs narrowed,
 * states are float32; a cast to float16 rounds. After fusion, the pass `narrowWeights` turns weights back into bits of
 * float16, where kernels read these.
 */
export function toFloat32(graph: Graph): Graph {
  const { outputs } = rewrite(graph, (node) => {
    const { inputs, dataType, options, label } = node;
    if (cast.is(node)) {
      const input = inputs['input']!;
      const { to } = node.options;
      if (to === 'float32' && input.dataType === 'float32') return input;
      if (to !== 'float16') return node;
      const float = isFloat(input.dataType) ? input : operand(cast.name, { input }, { to: 'float32' }, label);
      return widen(operand(narrow.name, { input: float }, {}, label));
    }
    if (dataType !== 'float16' || narrow.is(node)) return node;
    return isState(node) ? leaf('state', { ...node, dataType: 'float32' }, options as NamedOptions) : widen(node);
  });
  const made = new Map<Operand, Operand>();
  const typed = Object.entries(outputs).map(([name, output]): [string, Operand] => {
    if (graph.outputs[name]!.dataType !== 'float16' || output.dataType === 'float16') return [name, output];
    if (!made.has(output)) made.set(output, operand(narrow.name, { input: output }, {}, output.label));
    return [name, made.get(output)!];
  });
  return { outputs: Object.fromEntries(typed) };
}
