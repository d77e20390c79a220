import { ONNX_TYPES, type OnnxType } from '../../src/formats/onnx-model.ts';
import { Message } from '../../src/formats/protobuf-write.ts';

/** Fields of TensorProto that hold numbers, by the name that onnx.proto gives them. */
const DATA = { float: 4, int32: 5, int64: 7, double: 10, uint64: 11 } as const;

export interface TensorToEncode {
  readonly name?: string;
  readonly type: OnnxType | number;
  readonly dims: readonly (number | bigint)[];
  readonly raw?: Uint8Array;
  readonly texts?: readonly string[];
  /** Numbers in a typed field: packed, or each with a key of its own. */
  readonly field?: keyof typeof DATA;
  readonly values?: readonly (number | bigint)[];
  readonly packed?: boolean;
  readonly external?: Readonly<Record<string, string>>;
}

/** A TensorProto of any content, right or wrong. */
export function tensorMessage(tensor: TensorToEncode): Message {
  const { name = '', type, dims, raw, texts = [], field, values = [], packed = true, external } = tensor;
  const message = new Message();
  for (const size of dims) message.int(1, size);
  message.int(2, typeof type === 'number' ? type : ONNX_TYPES.indexOf(type)).text(8, name);
  for (const text of texts) message.text(6, text);
  if (raw) message.bytes(9, raw);
  if (field && packed) message.bytes(DATA[field], packedNumbers(field, values));
  else if (field) for (const value of values) putNumber(message, field, value);
  for (const [key, value] of Object.entries(external ?? {}))
    message.message(13, new Message().text(1, key).text(2, value));
  return external ? message.int(14, 1) : message;
}

function putNumber(message: Message, field: keyof typeof DATA, value: number | bigint): void {
  if (field === 'float') message.float(DATA.float, Number(value));
  else if (field === 'double') throw new Error('doubles are written packed');
  else message.int(DATA[field], value);
}

function packedNumbers(field: keyof typeof DATA, values: readonly (number | bigint)[]): Uint8Array {
  if (field === 'float') return new Uint8Array(Float32Array.from(values, Number).buffer);
  if (field === 'double') return new Uint8Array(Float64Array.from(values, Number).buffer);
  return Uint8Array.from(values.flatMap((value) => [...new Message().int(0, value).encode().subarray(1)]));
}

/** float32 numbers as a tensor. */
export const floats = (name: string, dims: readonly number[], values: readonly number[]): TensorToEncode => ({
  name,
  type: 'float',
  dims,
  raw: new Uint8Array(Float32Array.from(values).buffer),
});

/** int64 numbers as a tensor: shapes, axes. */
export const longs = (name: string, values: readonly (number | bigint)[], dims = [values.length]): TensorToEncode => ({
  name,
  type: 'int64',
  dims,
  raw: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

/** A value of a graph: name, type, dimensions; none where nothing is said of them. */
export type ValueToEncode = readonly [name: string, type: OnnxType, dims?: readonly (number | bigint | string)[]];

/** A list is one of integers. `ref` is the attribute of the call of a function. */
export type AttributeToEncode =
  | number
  | bigint
  | string
  | readonly (number | bigint)[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorToEncode }
  | { readonly graph: GraphToEncode }
  | { readonly ref: string };

export interface NodeToEncode {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeToEncode>>;
}

export interface GraphToEncode {
  readonly nodes?: readonly NodeToEncode[];
  readonly inputs?: readonly ValueToEncode[];
  readonly outputs?: readonly ValueToEncode[];
  readonly initializers?: readonly TensorToEncode[];
}

export interface FunctionToEncode {
  readonly name: string;
  readonly domain?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: readonly string[];
  readonly defaults?: Readonly<Record<string, AttributeToEncode>>;
  readonly nodes: readonly NodeToEncode[];
}

export interface ModelToEncode extends GraphToEncode {
  readonly functions?: readonly FunctionToEncode[];
  /** Version of ONNX's own ops, 20 where absent; undefined leaves it out. */
  readonly opset?: number | undefined;
}

/** `op`, its inputs, its outputs, its attributes. An op of another domain is `Op@domain`. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeToEncode>> = {},
): NodeToEncode {
  const [type, domain = ''] = op.split('@') as [string, string?];
  return { op: type, domain, inputs, outputs, attributes };
}

function attributeMessage(name: string, value: AttributeToEncode): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number' || typeof value === 'bigint') return message.int(3, value).int(20, 2);
  if (typeof value === 'string') return message.text(4, value).int(20, 3);
  if ('float' in value) return message.float(2, value.float).int(20, 1);
  if ('tensor' in value) return message.message(5, tensorMessage(value.tensor)).int(20, 4);
  if ('graph' in value) return message.message(6, graphMessage(value.graph)).int(20, 5);
  if ('ref' in value) return message.text(21, value.ref);
  if ('floats' in value) {
    for (const each of value.floats) message.float(7, each);
    return message.int(20, 6);
  }
  for (const each of value) message.int(8, each);
  return message.int(20, 7);
}

function nodeMessage({
  op,
  domain = '',
  name = '',
  inputs = [],
  outputs = [],
  attributes = {},
}: NodeToEncode): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, name).text(4, op);
  for (const [key, value] of Object.entries(attributes)) message.message(5, attributeMessage(key, value));
  return message.text(7, domain);
}

function valueMessage([name, type, dims]: ValueToEncode): Message {
  const tensor = new Message().int(1, ONNX_TYPES.indexOf(type));
  if (dims) {
    const shape = new Message();
    for (const size of dims)
      shape.message(1, typeof size === 'string' ? new Message().text(2, size) : new Message().int(1, size));
    tensor.message(2, shape);
  }
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

export function graphMessage({ nodes = [], inputs = [], outputs = [], initializers = [] }: GraphToEncode): Message {
  const message = new Message().text(2, 'graph');
  for (const one of nodes) message.message(1, nodeMessage(one));
  for (const one of initializers) message.message(5, tensorMessage(one));
  for (const one of inputs) message.message(11, valueMessage(one));
  for (const one of outputs) message.message(12, valueMessage(one));
  return message;
}

const opsetMessage = (domain: string, version: number): Message => new Message().text(1, domain).int(2, version);

function functionMessage(one: FunctionToEncode): Message {
  const { name, domain = 'own', inputs = [], outputs = [], attributes = [], defaults = {}, nodes } = one;
  const message = new Message().text(1, name);
  for (const input of inputs) message.text(4, input);
  for (const output of outputs) message.text(5, output);
  for (const attribute of attributes) message.text(6, attribute);
  for (const inner of nodes) message.message(7, nodeMessage(inner));
  for (const [key, value] of Object.entries(defaults)) message.message(11, attributeMessage(key, value));
  return message.message(9, opsetMessage('', 20)).text(10, domain);
}

/** The bytes of a model, right or wrong. */
export function encodeModel({ functions = [], ...graph }: ModelToEncode): Uint8Array<ArrayBuffer> {
  const { opset } = 'opset' in graph ? graph : { opset: 20 };
  const message = new Message().int(1, 9).message(7, graphMessage(graph));
  if (opset !== undefined) message.message(8, opsetMessage('', opset)).message(8, opsetMessage('com.microsoft', 1));
  for (const one of functions) message.message(25, functionMessage(one));
  return message.encode();
}

export const encodeTensor = (tensor: TensorToEncode): Uint8Array<ArrayBuffer> => tensorMessage(tensor).encode();
