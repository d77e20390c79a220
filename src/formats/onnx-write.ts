import { TilewrightError } from '../errors.ts';
import { ONNX_TYPES, type OnnxType, type OnnxValueInfo, type OnnxValueType } from './onnx-model.ts';
import { Message } from './protobuf-write.ts';

/** A tensor of a file: its bytes as they lie in memory, little-endian, or its texts. */
export interface WrittenTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly bytes?: Uint8Array;
  readonly texts?: readonly string[];
  /** The file beside the model that has its bytes. */
  readonly location?: string;
}

/** Numbers are floats, bigints integers: as they are read. */
export type WrittenAttribute =
  | number
  | bigint
  | string
  | WrittenTensor
  | readonly number[]
  | readonly bigint[]
  | readonly string[];

export interface WrittenNode {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  /** Names of values; empty where one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Iterable<readonly [string, WrittenAttribute]>;
}

// Numbers of fields: onnx.proto of ONNX 1.19.

export function tensorMessage({ name, type, dims, bytes, texts = [], location }: WrittenTensor): Message {
  const message = tensorHead({ name, type, dims });
  for (const each of texts) message.text(6, each);
  if (bytes) message.bytes(9, bytes);
  if (location !== undefined) message.message(13, new Message().text(1, 'location').text(2, location)).int(14, 1);
  return message;
}

/** A tensor without its numbers. */
export function tensorHead({ name, type, dims }: Pick<WrittenTensor, 'name' | 'type' | 'dims'>): Message {
  const message = new Message();
  for (const size of dims) message.int(1, size);
  return message.int(2, ONNX_TYPES.indexOf(type)).text(8, name);
}

/** Numbers of AttributeProto.AttributeType. */
const [FLOAT, INT, STRING, TENSOR, FLOATS, INTS, STRINGS] = [1, 2, 3, 4, 6, 7, 8];

function attributeMessage(name: string, value: WrittenAttribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.float(2, value).int(20, FLOAT!);
  if (typeof value === 'bigint') return message.int(3, value).int(20, INT!);
  if (typeof value === 'string') return message.text(4, value).int(20, STRING!);
  if ('dims' in value) return message.message(5, tensorMessage(value)).int(20, TENSOR!);
  let type = INTS!; // of an empty list
  for (const each of value) {
    if (typeof each === 'number') message.float(7, each);
    else if (typeof each === 'bigint') message.int(8, each);
    else message.text(9, each);
    type = typeof each === 'number' ? FLOATS! : typeof each === 'bigint' ? INTS! : STRINGS!;
  }
  return message.int(20, type);
}

export function nodeMessage({ op, domain = '', name, inputs, outputs, attributes = [] }: WrittenNode): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  if (name) message.text(3, name);
  message.text(4, op);
  for (const [key, value] of attributes) message.message(5, attributeMessage(key, value));
  return message.text(7, domain);
}

export const valueMessage = ({ name, type }: OnnxValueInfo): Message => {
  const message = new Message().text(1, name);
  return type ? message.message(2, typeMessage(type)) : message;
};

function typeMessage(type: OnnxValueType): Message {
  if (type.kind !== 'tensor')
    throw new TilewrightError('unsupported-type', `a value that is a ${type.kind} is not written`);
  const tensor = new Message().int(1, ONNX_TYPES.indexOf(type.type));
  if (type.dims) {
    const shape = new Message();
    for (const size of type.dims)
      shape.message(1, typeof size === 'number' ? new Message().int(1, size) : new Message().text(2, size));
    tensor.message(2, shape);
  }
  return new Message().message(1, tensor);
}

export const opsetMessage = (domain: string, version: number): Message => new Message().text(1, domain).int(2, version);

/** A whole file. */
export function modelMessage(
  graph: Message,
  { producer, version, opsets }: { producer: string; version: number; opsets: ReadonlyMap<string, number> },
): Message {
  const message = new Message().int(1, version).text(2, producer).message(7, graph);
  for (const [domain, number] of opsets) message.message(8, opsetMessage(domain, number));
  return message;
}
