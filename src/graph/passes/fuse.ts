import { type Activation, binary, unary } from '../../ops/elementwise.ts';
import { reshape } from '../../ops/reshape.ts';
import { elementCount, isFloat, sameShape } from '../../tensor/types.ts';
import { constantOf, type Graph, type Operand, operand, opOf, rewrite } from '../ir.ts';

type After = (made: Operand) => Operand;

interface HostOptions {
  activation?: Activation;
}

/**
 * Moves the bias, the residual, the activation, and a factor and a term that are constant numbers after an op with an
 * epilogue into the epilogue, in this order. Each result between them must have no other user.
 */
export function fuseEpilogues(graph: Graph): Graph {
  return rewrite(graph, (node, uses) => {
    const alone = (input: Operand | undefined): input is Operand =>
      input !== undefined && Boolean(opOf(input).epilogue) && uses(input) === 1;
    const open = (input: Operand | undefined): input is Operand =>
      alone(input) && !(input.options as HostOptions).activation && !input.inputs['affine'];
    /** What a function of elements is of, before reshapes and transposes; and what puts these behind it. */
    const behind = (input: Operand | undefined): readonly [host: Operand | undefined, after: After] => {
      if (!input || !opOf(input).permutes || uses(input) > 1) return [input, (made) => made];
      const [host, after] = behind(input.inputs['input']);
      return [host, (made) => operand(input.op, { input: after(made) }, input.options, input.label)];
    };
    const { a, b, input } = node.inputs;
    if (binary.add.is(node)) {
      const fused = (open(a) && added(node, a, b!)) || (open(b) && added(node, b, a!));
      if (fused) return fused;
    }
    const [from, after] = behind(input);
    if (opOf(node).activation && open(from) && isFloat(from.dataType)) {
      const activation: Activation = { name: node.op, ...node.options };
      return after(operand(from.op, from.inputs, { ...from.options, activation }, from.label ?? node.label));
    }
    for (const [one, other] of [[a, b] as const, [b, a] as const]) {
      const [host, after] = behind(one);
      const affine = alone(host) && other && affineOf(node, host, other);
      if (affine && sameShape(one!.shape, node.shape))
        return after(operand(host.op, { ...host.inputs, affine }, host.options, host.label));
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
  if (isRow && !host.inputs['bias'] && !host.inputs['residual'] && other.constant) {
    const bias =
      other.shape.length === 1 ? other : operand(reshape.name, { input: other }, { newShape: [columns] }, other.label);
    return operand(host.op, { ...host.inputs, bias }, host.options, host.label);
  }
  if (sameShape(other.shape, host.shape) && !host.inputs['residual']) {
    return operand(host.op, { ...host.inputs, residual: other }, host.options, host.label);
  }
  return undefined;
}

/**
 * The operand `affine` of a host that is multiplied by a constant number, or has one added: its factor and its term.
 * Undefined for another node.
 */
function affineOf(node: Operand, host: Operand, other: Operand): Operand | undefined {
  const { dataType } = host;
  if (!other.constant || elementCount(other.shape) !== 1 || !isFloat(dataType)) return undefined;
  const first = node.inputs['b'] === other;
  const make = (op: string, inputs: Readonly<Record<string, Operand>>): Operand => operand(op, inputs, {}, host.label);
  const pair = (factor: number, term: number): Operand => constantOf(dataType, [2], [factor, term]);
  const value = operand(reshape.name, { input: other }, { newShape: [1] }, host.label);
  const affine = host.inputs['affine'] ?? pair(1, 0);
  if (binary.mul.is(node)) return make(binary.mul.name, { a: affine, b: value });
  if (binary.div.is(node) && first) return make(binary.div.name, { a: affine, b: value });
  if (!binary.add.is(node) && !(binary.sub.is(node) && first)) return undefined;
  const term = binary.add.is(node) ? value : make(unary.neg.name, { input: value });
  return make(binary.add.name, { a: affine, b: make(binary.mul.name, { a: term, b: pair(0, 1) }) });
}
