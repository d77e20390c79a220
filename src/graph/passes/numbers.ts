import { type Activation, binary, unary } from '../../ops/elementwise.ts';
import { expand } from '../../ops/movement.ts';
import { reshape } from '../../ops/reshape.ts';
import { elementCount, isFloat, sameShape } from '../../tensor/types.ts';
import { constantOf, type Graph, type Operand, operand, opOf, rewrite, rewriter } from '../ir.ts';
import { canFold, channelAxis, scaledFilter } from './fold.ts';

/*
 * Constants that others leave beside products: numbers and channels that are multiplied and added.
 */

/** A convolution times or plus a constant that is one number or one a channel: scaled filters and a bias. */
export function foldNumbers(graph: Graph): Graph {
  return rewrite(graph, (node, uses) => {
    const { a, b } = node.inputs;
    if (canFold(a, uses) && b) return moved(node, a, b) ?? node;
    const commutes = binary.mul.is(node) || binary.add.is(node);
    return (commutes && canFold(b, uses) && a && moved(node, b, a)) || node;
  });
}

/** The convolution times, over, plus or minus a constant. Undefined for another node, and another constant. */
function moved(node: Operand, convolution: Operand, other: Operand): Operand | undefined {
  const channels = convolution.shape[channelAxis(convolution)]!;
  const count = elementCount(other.shape);
  const along = other.shape.at(channelAxis(convolution) - convolution.shape.length);
  const fits = count === 1 || (count === channels && along === channels);
  if (!fits || !other.constant || other.shape.length > convolution.shape.length) return undefined;
  const { add } = rewriter(convolution.label);
  const { bias } = convolution.inputs;
  const value = add(reshape.name, { input: other }, { newShape: [count] });
  const made = (inputs: Readonly<Record<string, Operand | undefined>>): Operand =>
    operand(convolution.op, { ...convolution.inputs, ...inputs }, convolution.options, convolution.label);
  if (binary.mul.is(node) || binary.div.is(node)) {
    const factor = binary.mul.is(node) ? value : add(unary.reciprocal.name, { input: value });
    return made({
      ...scaledFilter(convolution, factor),
      bias: bias && add(binary.mul.name, { a: bias, b: factor }),
    });
  }
  if (!binary.add.is(node) && !binary.sub.is(node)) return undefined;
  const term = binary.add.is(node) ? value : add(unary.neg.name, { input: value });
  if (bias) return made({ bias: add(binary.add.name, { a: bias, b: term }) });
  return made({ bias: count === channels ? term : add(expand.name, { input: term }, { newShape: [channels] }) });
}

type After = (made: Operand) => Operand;

/**
 * Moves the activation after an op with an epilogue, behind reshapes and transposes, and a factor and a term that are
 * constant numbers into the epilogue. Each result between them must have no other user.
 */
export function fuseNumbers(graph: Graph): Graph {
  return rewrite(graph, (node, uses) => {
    const alone = (input: Operand | undefined): input is Operand =>
      input !== undefined && Boolean(opOf(input).epilogue) && uses(input) === 1;
    /** What a function of elements is of, before reshapes and transposes; and what puts these behind it. */
    const behind = (input: Operand | undefined): readonly [host: Operand | undefined, after: After] => {
      if (!input || !opOf(input).permutes || uses(input) > 1) return [input, (made) => made];
      const [host, after] = behind(input.inputs['input']);
      return [host, (made) => operand(input.op, { input: after(made) }, input.options, input.label)];
    };
    const { a, b, input } = node.inputs;
    const [from, after] = behind(input);
    const isOpen = alone(from) && !(from.options as HostOptions).activation && !from.inputs['affine'];
    if (opOf(node).activation && isOpen && isFloat(from.dataType)) {
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

interface HostOptions {
  activation?: Activation;
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
