import {
  type ConstantOptions,
  type Graph,
  isConstant,
  isLeaf,
  type NamedOptions,
  nodeOf,
  type Operand,
} from '../../src/graph/ir.ts';
import { fromHalf, toHalf } from '../../src/tensor/half.ts';
import { logical, toDevice } from '../../src/tensor/logical.ts';
import { elementCount, type HostData, type TensorData } from '../../src/tensor/types.ts';
import { REFERENCES } from '../../src/verify/reference/index.ts';
import type { RefTensor } from '../../src/verify/reference/tensor.ts';
import { asNumbers } from '../../src/verify/values.ts';

/** What a graph gives, in float64, by the references of its ops; what is float16 is rounded to it. Inputs are as the device gets them. */
export function evaluate(graph: Graph, inputs: Readonly<Record<string, TensorData>>): Record<string, RefTensor> {
  const known = new Map<Operand, readonly RefTensor[]>();
  const tensor = ({ dataType, shape }: Operand, data: HostData): RefTensor => ({
    dataType,
    shape,
    data: asNumbers(
      logical(dataType) ? toDevice('constant', { dataType, shape }, data) : (data as TensorData),
      dataType,
      elementCount(shape),
    ),
  });
  /** All of its numbers, so that none is computed twice. */
  const whole = ({ dataType, shape, data }: RefTensor): RefTensor => {
    const numbers = Float64Array.from(data);
    return { dataType, shape, data: dataType === 'float16' ? numbers.map((x) => fromHalf(toHalf(x))) : numbers };
  };
  const resultsOf = (node: Operand): readonly RefTensor[] => {
    if (isConstant(node)) return [tensor(node, (node.options as ConstantOptions).data!)];
    if (isLeaf(node)) return [tensor(node, inputs[(node.options as NamedOptions).name]!)];
    const operands = Object.entries(node.inputs).map(([name, input]) => [name, resultOf(input)]);
    return [REFERENCES.get(node.op)!(Object.fromEntries(operands), node.options)].flat().map(whole);
  };
  const resultOf = (operand: Operand): RefTensor => {
    const node = nodeOf(operand);
    let made = known.get(node);
    if (!made) {
      made = resultsOf(node);
      known.set(node, made);
    }
    return made[node.results.indexOf(operand)]!;
  };
  return Object.fromEntries(Object.entries(graph.outputs).map(([name, operand]) => [name, resultOf(operand)]));
}
