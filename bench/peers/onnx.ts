import { Message } from '../../src/formats/protobuf-write.ts';

/** Numbers of TensorProto.DataType. */
const TYPES = { float32: 1, int32: 6, int64: 7, string: 8, bool: 9 } as const;
type OnnxType = keyof typeof TYPES;
type OnnxData = Float32Array | Int32Array | BigInt64Array;

/** A number, or the name of a size that is known at run time. */
type Dimension = number | string;
type Attribute = number | string | readonly number[] | { readonly float: number };

/** The model file, and the weights beside it, as onnxruntime-web takes them. */
export interface OnnxModel {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** Tensors from so many bytes on lie outside of a model whose weights are external. */
const SMALL = 1024;

const typeOf = (data: OnnxData): OnnxType =>
  data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64';

/**
 * Writes an ONNX model (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto: the numbers are its fields). Values go
 * by their names.
 */
export class OnnxGraph {
  readonly #graph = new Message().text(2, 'graph');
  readonly #external: { path: string; data: Uint8Array }[] = [];
  #count = 0;

  /** `external` leaves the weights outside of the model file, uncopied. */
  constructor(readonly external = false) {}

  constant(data: OnnxData, shape: readonly number[], name = this.#name('constant')): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const tensor = new Message();
    for (const size of shape) tensor.int(1, size);
    tensor.int(2, TYPES[typeOf(data)]).text(8, name);
    if (this.external && bytes.length >= SMALL) {
      tensor.message(13, new Message().text(1, 'location').text(2, name)).int(14, 1);
      this.#external.push({ path: name, data: bytes });
    } else tensor.bytes(9, bytes);
    this.#graph.message(5, tensor);
    return name;
  }

  integers(...values: number[]): string {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  input(name: string, type: OnnxType, shape: readonly Dimension[]): string {
    this.#graph.message(11, valueInfo(name, type, shape));
    return name;
  }

  output(name: string, type: OnnxType, shape: readonly Dimension[]): void {
    this.#graph.message(12, valueInfo(name, type, shape));
  }

  /** An input that is left out is ''. Gives the names of the outputs: those asked for, else one of its own. */
  nodes(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs: readonly string[] = [this.#name(op)],
  ): readonly string[] {
    const [type, domain = ''] = op.split('@') as [string, string?];
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    for (const output of outputs) node.text(2, output);
    node.text(3, outputs[0]!).text(4, type);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#graph.message(1, node.text(7, domain));
    return outputs;
  }

  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output?: string,
  ): string {
    return this.nodes(op, inputs, attributes, output === undefined ? undefined : [output])[0]!;
  }

  /** In the operator sets that onnxruntime 1.30 knows: ONNX 20, and its own, `com.microsoft`. */
  encode(): OnnxModel {
    const set = (domain: string, version: number): Message => new Message().text(1, domain).int(2, version);
    const model = new Message()
      .int(1, 9) // the file format that goes with operator set 20
      .text(2, 'tilewright bench')
      .message(7, this.#graph)
      .message(8, set('', 20))
      .message(8, set('com.microsoft', 1));
    return { model: model.encode(), externalData: this.#external };
  }

  #name(stem: string): string {
    return `${stem.replace(/@.*/, '')}_${this.#count++}`;
  }
}

function valueInfo(name: string, type: OnnxType, dimensions: readonly Dimension[]): Message {
  const shape = new Message();
  for (const size of dimensions) {
    shape.message(1, typeof size === 'number' ? new Message().int(1, size) : new Message().text(2, size));
  }
  const tensor = new Message().int(1, TYPES[type]).message(2, shape);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/** Numbers of AttributeProto.AttributeType: 1 float, 2 int, 3 string, 7 ints. */
function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.int(3, value).int(20, 2);
  if (typeof value === 'string') return message.text(4, value).int(20, 3);
  if ('float' in value) return message.float(2, value.float).int(20, 1);
  for (const each of value) message.int(8, each);
  return message.int(20, 7);
}
