import { opNamed } from '../../ops/index.ts';
import { type Graph, type Operand, operand, rewrite, rewriter } from '../ir.ts';

/** Ops that are other ops become those, as often as it takes. */
export const decompose = (graph: Graph): Graph => {
  const expand = (node: Operand): Operand => {
    if (node.op === 'input' || node.op === 'constant' || node.op === 'state') return node;
    const parts = opNamed(node.op).decompose?.(node.inputs, node.options, rewriter(node.label));
    if (!parts) return node;
    return settle(parts, new Set(Object.values(node.inputs)));
  };
  // What a decomposition built may itself decompose; the operands it was given are done.
  const settle = (node: Operand, given: ReadonlySet<Operand>): Operand => {
    if (given.has(node)) return node;
    const inputs = Object.fromEntries(Object.entries(node.inputs).map(([name, input]) => [name, settle(input, given)]));
    const same = Object.entries(node.inputs).every(([name, input]) => inputs[name] === input);
    return expand(same ? node : operand(node.op, inputs, node.options, node.label));
  };
  return rewrite(graph, expand);
};
