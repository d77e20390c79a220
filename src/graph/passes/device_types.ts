import { TilewrightError } from '../../errors.ts';
import { unary } from '../../ops/elementwise.ts';
import { opNamed } from '../../ops/index.ts';
import { unpackInt4 } from '../../ops/unpack_int4.ts';
import { packInt4 } from '../../tensor/int4.ts';
import { isNibble, logical, toDevice } from '../../tensor/logical.ts';
import { type DataType, elementCount, type TensorData } from '../../tensor/types.ts';
import {
  type ConstantOptions,
  type Graph,
  isConstant,
  isInput,
  isLeaf,
  leaf,
  type NamedOptions,
  type Operand,
  operand,
  results,
  topological,
} from '../ir.ts';

/** Constants in device types. Equal data gives the same array, from graph to graph. */
const narrowed = new WeakMap<object, TensorData>();

function constantOf(node: Operand, dataType: DataType): Operand {
  const { shape, label } = node;
  const { source, data } = node.options as ConstantOptions;
  if (!data) return leaf('constant', { dataType, shape }, { ...(source && { source }) }, label); // the source narrows it as it is read
  const numbers = narrowed.get(data) ?? toDevice(label ?? 'constant', node, data);
  narrowed.set(data, numbers);
  // int4 that kernels may read stays in 4 bits.
  if (node.dataType !== 'int4' || shape.at(-1)! % 4 || elementCount(shape) % 8)
    return leaf('constant', { dataType, shape }, { data: numbers }, label);
  const words = narrowed.get(numbers) ?? packInt4(numbers);
  narrowed.set(numbers, words);
  const input = leaf('constant', { dataType: 'int4x8', shape }, { data: words }, label);
  return operand(unpackInt4.name, { input }, {}, label);
}

function leafOf(node: Operand): Operand {
  const { dataType, shape, options } = node;
  const device = logical(dataType)?.device;
  if (!device) return node;
  if (isConstant(node)) return constantOf(node, device);
  return leaf(isInput(node) ? 'input' : 'state', { dataType: device, shape }, options as NamedOptions);
}

/** Options with device types in place of logical ones. Error: `wrong-type` where an op would have to compute 4 bits. */
function optionsOf({ op, options, label }: Operand): object {
  const entries = Object.entries(options as Record<string, unknown>).map(([key, value]) => {
    if (isNibble(value as string) && !opNamed(op).quantizes)
      throw new TilewrightError('wrong-type', `${label ?? op}: ${key} is ${value}: quantizeLinear makes that`);
    return [key, logical(value as string)?.device ?? value];
  });
  return Object.fromEntries(entries);
}

/** A result of quantisation to 4 bits, clamped to their range. */
function within(made: Operand, { op, dataType, label }: Operand): Operand {
  if (!isNibble(dataType) || !opNamed(op).quantizes) return made;
  const [alpha, beta] = logical(dataType)!.range;
  return operand(unary.clamp.name, { input: made }, { alpha, beta }, label);
}

/** Replaces types that the device lacks by those that stand for them (tensor/logical.ts). Runs before all other passes. */
export function toDeviceTypes(graph: Graph): Graph {
  const done = new Map<Operand, Operand>();
  const now = (node: Operand): Operand => done.get(node)!;
  for (const node of topological(graph)) {
    const inputs = Object.fromEntries(Object.entries(node.inputs).map(([name, input]) => [name, now(input)]));
    const made = isLeaf(node) ? [leafOf(node)] : results(node.op, inputs, optionsOf(node), node.label);
    node.results.forEach((result, i) => {
      done.set(result, isLeaf(node) ? made[i]! : within(made[i]!, result));
    });
  }
  return {
    outputs: Object.fromEntries(Object.entries(graph.outputs).map(([name, output]) => [name, now(output)])),
  };
}
