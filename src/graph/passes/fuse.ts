import { type Activation, binary } from '../../ops/elementwise.ts';
import { reshape } from '../../ops/reshape.ts';
import { isFloat, sameShape } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, opOf, rewrite } from '../ir.ts';

interface HostOptions {
  activation?: Activation;
}

/**
 * Moves the bias, the residual and the activation after an op with an epilogue into the epilogue. A bias that comes after
 * the residual is added before it: that differs in rounding only. Each result between them must have no other user.
 */
export function fuseEpilogues(graph: Graph): Graph {
  return rewrite(graph, (node, uses) => {
    const open = (input: Operand | undefined): input is Operand =>
      input !== undefined &&
      Boolean(opOf(input).epilogue) &&
      uses(input) === 1 &&
      !(input.options as HostOptions).activation &&
      !input.inputs['affine'];
    if (binary.add.is(node)) {
      const { a, b } = node.inputs as Record<'a' | 'b', Operand>;
      return (open(a) && added(node, a, b)) || (open(b) && added(node, b, a)) || node;
    }
    const { input } = node.inputs;
    if (opOf(node).activation && open(input) && isFloat(input.dataType)) {
      const activation: Activation = { name: node.op, ...node.options };
      return operand(input.op, input.inputs, { ...input.options, activation }, input.label ?? node.label);
    }
    return node;
  });
}

function added(node: Operand, host: Operand, other: Operand): Operand | undefined {
  const columns = host.shape.at(-1)!;
  const trimmed = other.shape.slice(
    Math.max(
      0,
      other.shape.findIndex((size) => size !== 1),
    ),
  );
  const isRow =
    sameShape(trimmed, [columns]) && other.shape.length <= host.shape.length && sameShape(node.shape, host.shape);
  if (isRow && !host.inputs['bias'] && other.constant) {
    const bias =
      other.shape.length === 1 ? other : operand(reshape.name, { input: other }, { newShape: [columns] }, other.label);
    return operand(host.op, { ...host.inputs, bias }, host.options, host.label);
  }
  if (sameShape(other.shape, host.shape) && !host.inputs['residual']) {
    return operand(host.op, { ...host.inputs, residual: other }, host.options, host.label);
  }
  return undefined;
}
