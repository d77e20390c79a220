import { TilewrightError } from '../errors.ts';
import type { Folder } from '../hub/folder.ts';
import { type ByteSource, stray } from '../hub/source.ts';
import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValueInfo,
  OnnxValueType,
} from './onnx-model.ts';
import {
  type AttributeMessage,
  type GraphMessage,
  MODEL,
  type ModelMessage,
  type NodeMessage,
  type OpsetMessages,
  TENSOR,
  type TensorMessage,
  type TypeMessage,
  type ValueMessage,
} from './onnx-schema.ts';
import { OnnxTensors } from './onnx-tensors.ts';
import { ProtobufReader } from './protobuf.ts';

/**
 * Opens an ONNX file: reads all of it but the numbers of its tensors. `folder` holds its external data. Errors:
 * `invalid-file`; `unsupported-type` for a sparse tensor; `not-found` for external data that is not there.
 */
export async function openOnnx(folder: Folder, file: string, signal?: AbortSignal): Promise<OnnxModel> {
  const source = await folder.open(file);
  const start = await source.slice(0, Math.min(100, source.size), signal);
  const text = String.fromCharCode(...start.subarray(4, 8));
  if (text === 'ORTM')
    throw new TilewrightError('invalid-file', `${source.name}: expected ONNX, got onnxruntime's own format (.ort)`, {
      hint: 'Load the .onnx file that it was made from.',
    });
  // A header's length in 8 bytes, and its brace.
  if (start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0))
    throw new TilewrightError('invalid-file', `${source.name}: expected ONNX, got safetensors`, {
      hint: 'Give the file a name that ends in .safetensors.',
    });
  const strayed = stray(source.name, 'ONNX', start);
  if (strayed) throw strayed;
  const message = (await new ProtobufReader(source, signal).read(MODEL)) as ModelMessage;
  return new ModelReader(folder, source).model(message);
}

/** Reads the message of a tensor that is the whole file: the form of ONNX's test data. */
export async function openOnnxTensor(source: ByteSource): Promise<OnnxTensor> {
  return new OnnxTensors(undefined, source).tensor((await new ProtobufReader(source).read(TENSOR)) as TensorMessage);
}

/** Turns messages into a model. */
class ModelReader {
  readonly #tensors: OnnxTensors;

  constructor(
    folder: Folder,
    private readonly source: ByteSource,
  ) {
    this.#tensors = new OnnxTensors(folder, source);
  }

  model({ producer = '', graph, opsets = [], metadata = [], functions = [] }: ModelMessage): OnnxModel {
    if (!graph) this.#tensors.fail('it has no graph: this is not an ONNX model');
    if (!opsets.length) this.#tensors.fail('it names no operator set');
    return {
      name: this.source.name,
      producer,
      opsets: this.#opsets(opsets),
      graph: this.graph(graph),
      functions: functions.map((f) => ({
        name: f.name ?? '',
        domain: domainOf(f.domain),
        overload: f.overload ?? '',
        inputs: f.inputs ?? [],
        outputs: f.outputs ?? [],
        nodes: (f.nodes ?? []).map(this.node),
        attributes: f.attributes ?? [],
        defaults: this.#attributes(f.defaults ?? [], `function ${f.name}`),
        opsets: this.#opsets(f.opsets ?? opsets),
      })),
      metadata: new Map(metadata.map(({ key = '', value = '' }) => [key, value])),
    };
  }

  #opsets(opsets: OpsetMessages): Map<string, number> {
    return new Map(opsets.map(({ domain, version = 0n }) => [domainOf(domain), Number(version)]));
  }

  readonly graph = ({
    name = '',
    nodes = [],
    initializers = [],
    inputs = [],
    outputs = [],
    sparse,
  }: GraphMessage): OnnxGraph => {
    if (sparse)
      throw new TilewrightError('unsupported-type', `${this.source.name}: graph '${name}' has sparse initialisers`);
    return {
      name,
      nodes: nodes.map(this.node),
      initializers: initializers.map(this.#tensors.tensor),
      inputs: inputs.map(this.value),
      outputs: outputs.map(this.value),
    };
  };

  readonly value = ({ name = '', type }: ValueMessage): OnnxValueInfo => ({ name, type: type && this.#type(type) });

  #type({ tensor, sequence, optional, map }: TypeMessage): OnnxValueType | undefined {
    const nested = sequence ?? optional;
    if (nested) {
      const of = nested.of && this.#type(nested.of);
      return of && { kind: sequence ? 'sequence' : 'optional', of };
    }
    if (!tensor) return { kind: map ? 'map' : 'sparse tensor' };
    const dims = tensor.shape && (tensor.shape.dims ?? []);
    return {
      kind: 'tensor',
      type: this.#tensors.typeNamed(tensor.type ?? 0, 'a value'),
      dims: dims?.map(({ value, param = '' }) => (value !== undefined && value >= 0n ? Number(value) : param)),
    };
  }

  readonly node = (node: NodeMessage): OnnxNode => {
    const { op = '', name = '', inputs = [], outputs = [], attributes = [], domain, overload = '' } = node;
    if (!op) this.#tensors.fail(`node '${name}' names no op`);
    const read = this.#attributes(attributes, `node '${name || outputs[0] || ''}' (${op})`);
    return { op, domain: domainOf(domain), overload, name, inputs, outputs, attributes: read };
  };

  #attributes(attributes: readonly AttributeMessage[], where: string): Map<string, OnnxAttribute> {
    const found = new Map<string, OnnxAttribute>();
    for (const attribute of attributes) {
      const { name = '' } = attribute;
      if (found.has(name)) this.#tensors.fail(`${where} has the attribute '${name}' twice`);
      const value = this.#attribute(attribute);
      if (value === undefined) this.#tensors.fail(`${where}: the attribute '${name}' is of a type that is not known`);
      found.set(name, value);
    }
    return found;
  }

  #attribute(message: AttributeMessage): OnnxAttribute | undefined {
    const { ref, f, i, s, t, g, floats, ints, strings, tensors, graphs } = message;
    if (ref) return { ref };
    // `type` says which field counts; files of the first versions leave it out.
    switch (message.type ?? 0) {
      case 1:
        return f ?? 0;
      case 2:
        return i ?? 0n;
      case 3:
        return s ?? '';
      case 4:
        return t && this.#tensors.tensor(t);
      case 5:
        return g && this.graph(g);
      case 6:
        return floats ?? [];
      case 7:
        return ints ?? [];
      case 8:
        return strings ?? [];
      case 9:
        return tensors?.map(this.#tensors.tensor) ?? [];
      case 10:
        return graphs?.map(this.graph) ?? [];
      case 0:
        return f ?? i ?? s ?? (t && this.#tensors.tensor(t)) ?? (g && this.graph(g)) ?? floats ?? ints ?? strings;
      default:
        return undefined;
    }
  }
}

const domainOf = (domain = ''): string => (domain === 'ai.onnx' ? '' : domain);
