import { isFloat } from '../../tensor/types.ts';
import { type Graph, leaf, type NamedOptions, type Operand, operand, rewrite } from '../ir.ts';

const widen = (input: Operand): Operand =>
  operand('widen', { input }, { from: 'float16', newShape: input.shape }, input.label);

/** Whether it is float16 that was widened, or made of such. */
export const wasHalf = ({ op, inputs }: Operand): boolean =>
  (op === 'widen' && inputs['input']!.dataType === 'float16') || Object.values(inputs).some(wasHalf);

/** The bits of float16, without a detour where the operand is made of them. */
export function narrowed(input: Operand): Operand {
  const { input: bits } = input.inputs;
  return input.op === 'widen' && bits!.dataType === 'float16' ? bits! : operand('narrow', { input }, {}, input.label);
}

/**
 * For devices without shader-f16: float16 is computed in float32. Inputs and constants widen, outputs narrow, states are float32, and a
 * cast to float16 rounds as it does. Weights go back to the bits of float16 after fusion, where the kernels read those.
 */
export function toFloat32(graph: Graph): Graph {
  const { outputs } = rewrite(graph, (node) => {
    const { op, inputs, dataType, options, label } = node;
    if (op === 'cast') {
      const input = inputs['input']!;
      const { to } = options as { to: string };
      if (to === 'float32' && input.dataType === 'float32') return input;
      if (to !== 'float16') return node;
      const float = isFloat(input.dataType) ? input : operand('cast', { input }, { to: 'float32' }, label);
      return widen(operand('narrow', { input: float }, {}, label));
    }
    if (dataType !== 'float16' || op === 'narrow') return node;
    return op === 'state' ? leaf('state', { ...node, dataType: 'float32' }, options as NamedOptions) : widen(node);
  });
  const narrow = new Map<Operand, Operand>();
  const typed = Object.entries(outputs).map(([name, output]): [string, Operand] => {
    if (graph.outputs[name]!.dataType !== 'float16' || output.dataType === 'float16') return [name, output];
    if (!narrow.has(output)) narrow.set(output, operand('narrow', { input: output }, {}, output.label));
    return [name, narrow.get(output)!];
  });
  return { outputs: Object.fromEntries(typed) };
}
