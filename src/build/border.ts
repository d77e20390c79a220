import { loadOps } from '../graph/groups/index.ts';
import { type Graph, isInput, type NamedOptions, type Operand, topological } from '../graph/ir.ts';
import { toDeviceTypes } from '../graph/passes/device_types.ts';
import {
  type DeviceInput,
  type RunOptions,
  Session,
  type SessionInputs,
  type TensorInput,
} from '../runtime/session.ts';
import { fromDevice, isNibble, logical, toDevice } from '../tensor/logical.ts';
import type { HostData, TensorDescriptor } from '../tensor/types.ts';

type Tensors = Readonly<Record<string, TensorDescriptor>>;

const logicalOf = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).filter(([, { dataType }]) => logical(dataType)));

/**
 * For a graph with types that the device lacks: the graph in device types, and the class of its sessions. They take and
 * give numbers of the graph's types. Buffers on the device (`inputBuffer`, `outputBuffer`, `copy`) have device types.
 */
export async function atBorder(graph: Graph): Promise<{ graph: Graph; Type: typeof Session }> {
  const nodes = topological(graph);
  if (nodes.some(({ results }) => results.some(({ dataType }) => isNibble(dataType)))) await loadOps(['quantized']);
  const inputs = logicalOf(
    Object.fromEntries(nodes.filter(isInput).map((node) => [(node.options as NamedOptions).name, node])),
  );
  const outputs = logicalOf(graph.outputs);
  const taken = (name: string, data: TensorInput): TensorInput => {
    const tensor = inputs[name];
    return tensor && data ? toDevice(`input ${name}`, tensor, data) : data;
  };
  /** What the device writes has the device's type. */
  const given = (name: string, data: TensorInput | DeviceInput): TensorInput | DeviceInput =>
    data && 'encode' in data ? data : taken(name, data);

  class LogicalSession extends Session {
    override async run<Data extends HostData>(inputs: SessionInputs, options?: RunOptions) {
      const data = Object.entries(inputs).map(([name, numbers]) => [name, given(name, numbers)]);
      const results = await super.run(Object.fromEntries(data), options);
      const made = Object.entries(results).map(([name, numbers]): [string, HostData] => {
        const tensor = outputs[name];
        return [name, tensor ? fromDevice(tensor.dataType, numbers) : numbers];
      });
      return Object.fromEntries(made) as Record<string, Data>;
    }

    protected override described(name: string, operand: Operand): string {
      return super.described(name, { ...operand, ...inputs[name] });
    }

    override write(name: string, data: TensorInput): void {
      super.write(name, taken(name, data));
    }
  }

  return { graph: toDeviceTypes(graph), Type: LogicalSession };
}
