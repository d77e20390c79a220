import { isFloat } from '../../tensor/types.ts';
import { constantOperands, type Graph, type Operand, operand, rewrite } from '../ir.ts';

/**
 * Constant weights of matmul, conv2d and embedding become int8 with a scale per output channel, made at load on the GPU.
 * Output channels of weights that lie as [N,K] and of a table are rows; else they are the last axis.
 */
export function quantizeWeights(graph: Graph): Graph {
  const constants = constantOperands(graph);
  const made = new Map<Operand, Partial<Record<'rows' | 'columns', { weights: Operand; scales: Operand }>>>();
  const quantized = (input: Operand, rows: boolean): { weights: Operand; scales: Operand } => {
    const forms = made.get(input) ?? {};
    made.set(input, forms);
    const form = rows ? 'rows' : 'columns';
    if (!forms[form]) {
      const channel = rows ? 0 : input.shape.length - 1;
      const newShape = input.shape.map((size, d) => (d === channel ? size : 1));
      const scales = operand('quantizeScales', { input }, { newShape }, input.label);
      forms[form] = { scales, weights: operand('quantizeLinear', { input, scale: scales }, {}, input.label) };
    }
    return forms[form];
  };
  const weightOf: Record<string, string> = { matmul: 'b', conv2d: 'filter', gather: 'input' };
  return rewrite(graph, (node) => {
    const name = weightOf[node.op];
    const weight = name && node.inputs[name];
    if (!weight || node.inputs['scales'] || !isFloat(weight.dataType) || !constants.has(weight)) return node;
    if (node.op === 'gather' && (weight.shape.length !== 2 || ((node.options as { axis?: number }).axis ?? 0) !== 0))
      return node;
    if (node.op === 'matmul' && weight.shape.length !== 2) return node;
    const rows = node.op === 'gather' || Boolean((node.options as { transposeB?: boolean }).transposeB);
    const { weights, scales } = quantized(weight, rows);
    return operand(node.op, { ...node.inputs, [name]: weights, scales }, node.options, node.label);
  });
}
