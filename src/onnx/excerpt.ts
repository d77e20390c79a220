import { TilewrightError } from '../errors.ts';
import type { OnnxAttribute, OnnxTensor, OnnxType, OnnxValueInfo } from '../formats/onnx-model.ts';
import {
  modelMessage,
  nodeMessage,
  tensorMessage,
  valueMessage,
  type WrittenAttribute,
  type WrittenTensor,
} from '../formats/onnx-write.ts';
import { Message } from '../formats/protobuf-write.ts';
import { VERSION } from '../version.ts';
import type { LoweredNode } from './lowerer.ts';
import { arrayOf } from './run-tensors.ts';
import type { Scalar, Tensor, Value } from './values.ts';

/** The file format that has all types which are read here. */
const FILE_VERSION = 10;

/**
 * A node alone, as an ONNX file: what is known of its inputs is in the file, the others are inputs of its shapes.
 * Error: `unsupported-option` for a node with graphs inside, or with a sequence.
 */
export async function excerptOf(
  { label, node, attributes, inputs, outputs, opsets }: LoweredNode,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (what: string): never => {
    throw new TilewrightError('unsupported-option', `${label} (${node.op}): a node with ${what} is not written alone`);
  };
  const tensorOf = (value: Value): Tensor => (value.kind === 'tensor' ? value : refuse(`a ${value.kind}`));
  const graph = new Message();
  const written: (readonly [string, WrittenAttribute])[] = [];
  for (const [name, value] of attributes)
    written.push([name, (await attributeOf(value, signal)) ?? refuse(`the attribute '${name}'`)]);
  const given = node.inputs.map((name, i) => (inputs[i] ? name : ''));
  const made = node.outputs.map((name, i) => (outputs[i] ? name : ''));
  const { op, domain } = node;
  graph.message(1, nodeMessage({ op, domain, name: label, inputs: given, outputs: made, attributes: written }));
  graph.text(2, label);
  for (const name of new Set(given.filter(Boolean))) {
    const tensor = tensorOf(inputs[given.indexOf(name)]!);
    const stored = await storedOf(name, tensor, signal);
    if (stored) graph.message(5, tensorMessage(stored));
    else graph.message(11, valueMessage(info(name, tensor)));
  }
  for (const [i, name] of made.entries()) if (name) graph.message(12, valueMessage(info(name, tensorOf(outputs[i]!))));
  return modelMessage(graph, { producer: `tilewright ${VERSION}`, version: FILE_VERSION, opsets }).encode();
}

const info = (name: string, { type, shape }: Tensor): OnnxValueInfo => ({
  name,
  type: { kind: 'tensor', type, dims: shape },
});

/** A tensor whose numbers are known; undefined for one that only the device has. */
async function storedOf(name: string, value: Tensor, signal?: AbortSignal): Promise<WrittenTensor | undefined> {
  const { type, shape, file, known } = value;
  if (file) return { ...(await fromFile(file, signal)), name, dims: shape };
  return known && { name, dims: shape, ...fromHost(type, known) };
}

async function fromFile(file: OnnxTensor, signal?: AbortSignal): Promise<WrittenTensor> {
  const { name, type, dims } = file;
  const numbers = type === 'string' ? { texts: await file.strings(signal) } : { bytes: await file.bytes(signal) };
  return { name, type, dims, ...numbers };
}

/** Types that lie in a file otherwise than in an array here. */
const PACKED: readonly OnnxType[] = ['bfloat16', 'int4', 'uint4'];

function fromHost(type: OnnxType, known: readonly Scalar[]): Pick<WrittenTensor, 'type' | 'bytes' | 'texts'> {
  if (type === 'string') return { type, texts: known.map(String) };
  if (PACKED.includes(type))
    throw new TilewrightError('unsupported-option', `numbers of ${type} that were computed are not written`);
  const { buffer, byteOffset, byteLength } = arrayOf(type, known) as Uint8Array;
  return { type, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}

/** Undefined for graphs and lists of tensors. */
async function attributeOf(value: OnnxAttribute, signal?: AbortSignal): Promise<WrittenAttribute | undefined> {
  if (typeof value !== 'object') return value;
  if (Array.isArray(value))
    return value.some((one) => typeof one === 'object') ? undefined : (value as WrittenAttribute);
  return 'bytes' in value ? fromFile(value, signal) : undefined;
}
